"""Seeded inputs of the stage that embeds: every family, with a tiny checkpoint."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from PIL import Image

from brainstruct.config.models import Checkpoint
from brainstruct.datasets.interface import About, DataSet
from brainstruct.models import tiny
from brainstruct.models.interface import Sampling
from brainstruct.models.opening import ModelSettings
from brainstruct.models.registry import FAMILIES
from embed import embed
from fetch_checkpoint import fetch_checkpoint

N_BLOCKS, N_IMAGES = 2, 4
ASKED = {"IC": "What is in this image?", "VQ1": "Describe the most dominant color in the image."}
WORDS = ("A red dog sleeps;", "two horses", "eat", "bread", "near the", "sea", "at night.")


class Pictures(DataSet):
    """Coarse patterns of two sizes, and captions of some words, one or two to an image."""

    about: ClassVar[About] = About("Pictures", "pictures")

    @property
    def subjects(self):
        return ("anna",)

    def image_sets(self, subjects):
        return {"anna": N_IMAGES}

    def image_sets_of(self, subject):
        return ["anna"]

    def reader(self):
        def captions(images):
            return {
                one: [" ".join(WORDS[one + at : 2 * one + 3 + at]) for at in range(1 + one % 2)]
                for one in images["stimulus"]
            }

        def size_of(one):
            return (40, 30) if one % 2 else (30, 50)

        def image(one):
            coarse = np.random.default_rng([6, one]).integers(0, 256, (5, 7, 3), dtype=np.uint8)
            return Image.fromarray(coarse).resize(size_of(one)[::-1], Image.Resampling.NEAREST)

        opened = SimpleNamespace(image=image, size_of=size_of)
        return SimpleNamespace(captions=captions, pixels=lambda: nullcontext(opened))


KINDS = {
    "image": "vit",
    "clip-image": "clip",
    "clip-text": "clip",
    "auto": "qwen2-vl",
    "text": "qwen2-vl",
}
"""Tiny checkpoints of families that have another name than theirs."""

USUAL = {
    "random_seed": None,
    "max_new_tokens": 5,
    "pooling": "response_mean",
    "sampling": None,
    "dtype": "float32",
    "storage": "float32",
}
RUNS: dict[str, dict[str, object]] = {
    "usual": {},
    "drawn": {"sampling": Sampling(3, temperature=1.5, top_k=40, top_p=0.9), "storage": "float16"},
    "last": {"pooling": "last_prompt_token", "random_seed": 4},
    "prompt": {"pooling": "prompt_mean", "max_new_tokens": 2},
}
"""Settings of a family that answers; of others, ``usual`` and ``last`` alone."""


def embedded(folder: Path, family: str) -> dict[str, object]:
    """Embed with one family in all its ways."""
    torch.set_num_threads(1)
    kind = KINDS.get(family, family)
    tiny.build(kind, folder / "checkpoint", seed=1, n_blocks=N_BLOCKS)
    manifest, stamps = folder / "manifest.json", folder / "stamps.json"
    source = Checkpoint(path=str(folder / "checkpoint"))
    fetch_checkpoint(
        source=source,
        folder=folder / "checkpoint",
        checkpoint="checkpoint",
        checkpoints={"checkpoint": source},
        manifest=manifest,
        stamps=stamps,
    )
    block = folder / "block.tsv"
    pd.DataFrame({"stimulus": np.arange(N_IMAGES)}).to_csv(block, sep="\t", index=False)
    answers = FAMILIES[family].modality == "image+instruction"
    found: dict[str, object] = {}
    for name, changes in RUNS.items():
        if answers or name in ("usual", "last"):
            texts = ASKED if answers and name == "usual" else {"VQ1": ASKED["VQ1"]}
            texts = texts if answers else {"none": None}
            n_layers = 13 if family == "clip-text" else N_BLOCKS + 1
            settings = {"family": family, "checkpoint": kind, "n_layers": n_layers}
            paths = {f"{name}-{key}": folder / f"{name}-{key}.nc" for key in texts}
            embed(
                block=block,
                stimuli=[block],
                manifest=manifest,
                stamps=stamps,
                folder=folder / "checkpoint",
                store=None,
                model_settings=ModelSettings(**settings, **USUAL | changes),
                layers=list(range(n_layers)),
                texts=texts,
                dataset=Pictures(),
                work=folder / "work" / name,
                device="cpu",
                batch_size=2,
                images_per_shard=3,
                model=family,
                threads=1,
                code="",
                embeddings=list(paths.values()),
            )
            found |= paths
    return found
