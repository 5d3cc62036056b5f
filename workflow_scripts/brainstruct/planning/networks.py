"""Sizes of the networks: published ones, or those of a checkpoint that is on disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from brainstruct.config.models import Model
from brainstruct.config.study import Study
from brainstruct.errors import InputError
from brainstruct.models.registry import FAMILIES
from brainstruct.store.files import read_json
from brainstruct.workflow.rooms import Rooms


@dataclass(frozen=True)
class Network:
    """What the cost of a network follows from: each token or patch goes through its parameters."""

    width: int  # of hidden states
    language_parameters: float
    vision_parameters: float
    patches: int  # tokens of the vision encoder, per image
    image_tokens: int  # of the language model
    download_bytes: float  # weights on the hub

    @property
    def parameters(self) -> float:
        """All parameters."""
        return self.language_parameters + self.vision_parameters


_PUBLISHED: dict[str, Network] = {
    "instructblip": Network(4096, 6.74e9, 1.17e9, 257, 32, 31.7e9),
    "mplug-owl": Network(4096, 6.74e9, 0.43e9, 257, 65, 14.4e9),
    "idefics": Network(4096, 8.30e9, 0.63e9, 257, 64, 17.9e9),
    "llava": Network(4096, 6.76e9, 0.30e9, 577, 576, 14.1e9),
    "auto": Network(3584, 7.07e9, 0.68e9, 1024, 256, 16.6e9),  # Qwen2-VL 7B
    "image": Network(1024, 0.0, 0.30e9, 257, 0, 1.22e9),  # DINOv2 L
    "text": Network(768, 0.12e9, 0.0, 0, 0, 0.55e9),  # GPT-2
    "vit": Network(1280, 0.0, 0.63e9, 257, 0, 2.53e9),
    "clip-image": Network(1024, 0.0, 0.30e9, 257, 0, 1.71e9),
    "clip-text": Network(768, 0.12e9, 0.0, 0, 0, 1.71e9),
}
"""Family -> the checkpoint that the paper's study uses of it (model cards and papers)."""

_TINY_WIDTH = 64
"""Width of tiny checkpoints whose configuration gives none; 32 where there are no instructions."""


def network_of(study: Study, model: Model) -> Network:
    """Return the sizes of a model.

    A ``config.json`` of its checkpoint decides if it is there; then sizes of a
    tiny checkpoint that the study builds; then the published ones.
    """
    published = _PUBLISHED[model.family]
    config = Path(Rooms.of(study).models.checkpoint_folder(model.checkpoint)) / "config.json"
    if config.is_file():
        width = _stored_width(config, model.family)
        return _scaled(published, width) if width else published
    tiny = study.synthetic.checkpoints.get(model.checkpoint) if study.synthetic else None
    if tiny is not None:
        default = _TINY_WIDTH if model.follows_instructions else _TINY_WIDTH // 2
        return _scaled(published, tiny.sizes.get("width", default))
    return published


def _stored_width(config: Path, family: str) -> int | None:
    """Read a width; whether a configuration is damaged is for the doctor to say."""
    try:
        content = read_json(config, cure="")
    except InputError:
        return None
    for candidate in (content.get(FAMILIES[family].part or ""), content):
        if isinstance(candidate, dict) and isinstance(candidate.get("hidden_size"), int):
            return int(candidate["hidden_size"])
    return None


def _scaled(published: Network, width: int) -> Network:
    """Scale a network to another width: parameters grow with its square."""
    ratio = (width / published.width) ** 2
    return replace(
        published,
        width=width,
        language_parameters=published.language_parameters * ratio,
        vision_parameters=published.vision_parameters * ratio,
        download_bytes=published.download_bytes * ratio,
    )
