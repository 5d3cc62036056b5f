"""Layers of the interactive maps: a study's results, in the colours of its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from brainstruct.brain.labels import UNCLEAR
from brainstruct.figures.style import NO_WINNER, SEQUENTIAL, layer_colours
from brainstruct.figures.voxels import placed

_WIDTH = 1024  # of a colour map, pixels


@dataclass(frozen=True)
class ViewerMap:
    """A layer of the viewer."""

    name: str  # in the list of layers
    values: xr.DataArray  # (voxel), with the voxel coordinates i, j, k; NaN shows the folds
    colour_map: str  # name of its colours
    # Hexadecimal. Of a categorical map one per category, and the values are positions in them; of
    # a continuous map they run from 0 to 1.
    colours: Sequence[str]
    legend: Sequence[str] = ()  # name of each category; empty if the map is continuous

    @property
    def high(self) -> int:
        """Value of the last colour; the first one's is 0."""
        return max(len(self.legend) - 1, 1)


def maps_of_model(
    winners: xr.Dataset,
    space: xr.Dataset,
    *,
    key: str,
    label: str,
    n_layers: int,
    instructions: Mapping[str, str],
    colours: Mapping[str, str],
) -> list[ViewerMap]:
    """Make the layers of one model: winning instruction, winning layer, alignment.

    `winners` has ``instruction_index``, ``clear``, ``layer`` and ``alignment``, dim voxel; `space`
    says where each voxel lies: i, j, k. The model's key is used in file names, its label in
    legends; its layers include token embeddings (layer 0). Instructions are key -> text, in the
    order of ``instruction_index``; with one or none there is no map of winning instructions.
    Colours are those of the study's, see `brainstruct.figures.style.instruction_colours`.
    """
    # Negative codes: no winner.
    instruction, layer = (
        placed(winners[name].where(winners[name] >= 0).astype(np.float32), space)
        for name in ("instruction_index", "layer")
    )
    maps = []
    if len(instructions) > 1:
        own = [*(colours[name] for name in instructions), *NO_WINNER.values()]
        asked = [*(f"{name}: {text}" for name, text in instructions.items()), UNCLEAR]
        sure = winners["clear"].values | np.isnan(instruction)
        instruction = instruction.where(sure, len(instructions))
        says = f"{label}: winning instruction"
        maps.append(ViewerMap(says, instruction, f"instructions-{key}", own, asked))
    layers = [f"layer {number}" for number in range(n_layers)]
    says, depths = f"{label}: winning layer", layer_colours(n_layers)
    maps.append(ViewerMap(says, layer, f"layers-{n_layers}", depths, layers))
    maps.append(_continuous(f"{label}: normalised alignment", winners["alignment"], space))
    return maps


def ceiling_map(space: xr.Dataset, ceiling: str) -> ViewerMap:
    """Make the layer of the noise ceiling that scores are divided by."""
    return _continuous("Noise ceiling", space[f"ceiling_{ceiling}"], space)


def colour_strip(colours: Sequence[str]) -> NDArray[np.uint8]:
    """Draw colours side by side, [1, column, RGBA], as the page looks them up.

    The page looks for a value between the first and the last colour at its
    share of the width, so the first and the last band are half as wide.
    """
    place = (np.arange(_WIDTH) + 0.5) / _WIDTH
    codes = np.rint(place * (len(colours) - 1)).astype(int)
    lookup = np.array([(*to_rgb(colour), 1.0) for colour in colours])
    return np.asarray(np.rint(lookup[codes] * 255).astype(np.uint8)[None])


def _continuous(name: str, values: xr.DataArray, space: xr.Dataset) -> ViewerMap:
    """Make a layer of values from 0 to 1."""
    numbers = placed(values.astype(np.float32), space)
    return ViewerMap(name, numbers, SEQUENTIAL, layer_colours(256))
