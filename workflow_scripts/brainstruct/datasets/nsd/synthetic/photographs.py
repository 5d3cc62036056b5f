"""Photographs that come with scikit-image and scikit-learn, and crops of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from brainstruct.datasets.nsd.synthetic.streams import stream
from brainstruct.errors import InputError
from brainstruct.store.resources import table_beside

COLOURS = 256
"""Colours that a photograph keeps: with them a crop is stored in a fifth of its size."""

SCALES = (0.35, 0.95)
"""Side of a crop over the shorter side of its photograph."""


@dataclass(frozen=True)
class Photograph:
    """A file of an installed package and words for what it shows."""

    package: str
    file: str
    subject: str
    scene: str


PHOTOGRAPHS: dict[str, Photograph] = {
    name: Photograph(**said) for name, said in table_beside(__file__, "photographs.toml").items()
}


@dataclass(frozen=True)
class Crop:
    """A square of a photograph."""

    photograph: str  # key of `PHOTOGRAPHS`
    scale: float  # side over the shorter side of the photograph
    left: float  # position between the two extremes, 0 to 1
    top: float  # the same
    mirrored: bool  # left and right exchanged


def draw_crop(nsd_id: int, seed: int) -> Crop:
    """Draw the crop that stands for an image; depends on nothing but its arguments."""
    random = stream(seed, "crop", nsd_id)
    return Crop(
        photograph=str(random.choice(list(PHOTOGRAPHS))),
        scale=float(random.uniform(*SCALES)),
        left=float(random.uniform()),
        top=float(random.uniform()),
        mirrored=bool(random.integers(2)),
    )


def load_photographs() -> dict[str, Image.Image]:
    """Read all photographs, RGB, reduced to `COLOURS` colours each."""
    loaded = {}
    for key, photograph in PHOTOGRAPHS.items():
        with Image.open(_package_folder(photograph.package) / photograph.file) as image:
            colours = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        loaded[key] = colours.convert("RGB")
    return loaded


def cut(crop: Crop, photographs: Mapping[str, Image.Image], size: int) -> npt.NDArray[np.uint8]:
    """Return a crop, enlarged or reduced to [row: size, column: size, RGB]."""
    source = photographs[crop.photograph]
    side = crop.scale * min(source.size)
    left = crop.left * (source.width - side)
    top = crop.top * (source.height - side)
    # Interpolation would invent colours, and with them most of the stored bytes.
    square = source.resize(
        (size, size), Image.Resampling.NEAREST, box=(left, top, left + side, top + side)
    )
    if crop.mirrored:
        square = square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(square)


def _package_folder(package: str) -> Path:
    """Return where a package is installed, without importing it (that takes seconds)."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            package, "is not installed, and the stimuli are its photographs", f"Install {package}"
        )
    return Path(spec.submodule_search_locations[0])
