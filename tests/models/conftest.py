from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_kinds import KIND_OF

from brainstruct.models import tiny
from brainstruct.models.interface import FeatureModel, ModelOptions
from brainstruct.models.opening import family_class

N_BLOCKS = 4
INSTRUCTION = "What is in this image?"


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Callable[[str], Path]:
    """Folder of a tiny checkpoint with four blocks, built once."""
    built: dict[str, Path] = {}

    def get(kind: str) -> Path:
        if kind not in built:
            built[kind] = tmp_path_factory.mktemp("checkpoints") / kind
            tiny.build(kind, built[kind], seed=1, n_blocks=N_BLOCKS)
        return built[kind]

    return get


@pytest.fixture(scope="session")
def load(checkpoint) -> Callable[..., FeatureModel]:
    """Load a tiny model of a family; options beyond the usual as keywords."""

    def get(family: str, **options) -> FeatureModel:
        kind = KIND_OF.get(family, family)
        n_layers = {"clip-text": 13}.get(family, N_BLOCKS + 1)
        return family_class(family).load(
            ModelOptions(checkpoint(kind), n_layers, **{"max_new_tokens": 6, **options})
        )

    return get


@pytest.fixture(scope="session")
def pictures() -> Callable[[int], Sequence[Image.Image]]:
    """Coarse random patterns, all different, not square."""

    def get(n: int, seed: int = 0) -> list[Image.Image]:
        rng = np.random.default_rng(seed)
        coarse = rng.integers(0, 256, size=(n, 5, 7, 3), dtype=np.uint8)
        return [Image.fromarray(picture).resize((70, 50), Image.BICUBIC) for picture in coarse]

    return get
