"""Kinds of tiny checkpoints, where a family's has another name than the family."""

from __future__ import annotations

KIND_OF = {
    "image": "vit",
    "clip-image": "clip",
    "clip-text": "clip",
    "auto": "qwen2-vl",
    "text": "qwen2-vl",
}
