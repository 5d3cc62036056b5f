"""The reference's checkpoint and values, and photographs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from brainstruct.models import loading
from brainstruct.models.interface import ModelOptions
from brainstruct.models.mplug_owl.family import read_config
from brainstruct.models.mplug_owl.modeling import MPlugOwlForConditionalGeneration

FIXTURE = Path(__file__).parent / "fixture"


@pytest.fixture(scope="session")
def reference_folder() -> Path:
    return FIXTURE


@pytest.fixture(scope="session")
def reference() -> dict[str, torch.Tensor]:
    return load_file(FIXTURE / "io.safetensors")


@pytest.fixture(scope="session")
def instructions() -> list[str]:
    return json.loads((FIXTURE / "prompts.json").read_text())["instructions"]


@pytest.fixture(scope="session")
def reference_images(reference: dict[str, torch.Tensor]) -> list[Image.Image]:
    return [Image.fromarray(reference[f"image.{number}"].numpy()) for number in (0, 1)]


def read_network(folder: Path, dtype: str = "float32") -> MPlugOwlForConditionalGeneration:
    options = ModelOptions(folder, n_layers=4, device="cpu", dtype=dtype)
    return loading.load_network(MPlugOwlForConditionalGeneration, read_config(folder), options)


@pytest.fixture(scope="session")
def read():
    """Read the network of a folder."""
    return read_network


@pytest.fixture(scope="session")
def network() -> MPlugOwlForConditionalGeneration:
    return read_network(FIXTURE)


@pytest.fixture(scope="session")
def eight_images() -> list[Image.Image]:
    """Coloured gradients with noise, of several shapes."""
    generator = np.random.default_rng(0)
    images = []
    for number in range(8):
        height, width = 40 + 5 * number, 90 - 3 * number
        ramp = np.linspace(0, 1, width)[None, :, None] * generator.uniform(50, 250, 3)
        noise = generator.normal(0, 25, (height, width, 3))
        images.append(Image.fromarray(np.clip(ramp + noise, 0, 255).astype(np.uint8)))
    return images
