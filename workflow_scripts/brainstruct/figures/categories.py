"""Categories of voxels on a map: their codes, shares and colours."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from brainstruct.brain.labels import UNCLEAR
from brainstruct.figures.surface import Flatmap


def names_of(keys: xr.DataArray) -> NDArray[np.str_]:
    """Return keys as text."""
    return np.asarray(keys).astype(str)


def clear_only(keys: xr.DataArray, clear: xr.DataArray) -> xr.DataArray:
    """Return keys where they are clear winners, `UNCLEAR` where they are not, ``""`` as it is."""
    names = names_of(keys)
    return keys.copy(data=np.where(np.asarray(clear) | (names == ""), names, UNCLEAR))


def codes_of(keys: xr.DataArray, order: Sequence[str]) -> xr.DataArray:
    """Turn keys into their places in an order, ``""`` into -1; a `ValueError` for others."""
    names = names_of(keys)
    unknown = sorted(set(names.tolist()) - set(order) - {""})
    if unknown:
        raise ValueError(f"instructions {', '.join(unknown)} are not in the legend's order")
    number = {key: code for code, key in enumerate(order)}
    return keys.copy(data=np.array([number.get(name, -1) for name in names], np.int64))


def shares_of(codes: xr.DataArray, order: Sequence[str]) -> dict[str, str]:
    """Say which share of the voxels that have a code has each; see `codes_of`."""
    numbers = np.asarray(codes)
    total = int((numbers >= 0).sum())
    return {key: percent(int((numbers == code).sum()), total) for code, key in enumerate(order)}


def percent(part: int, whole: int) -> str:
    """Write a share; nothing, of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else ""


def paint_codes(
    flatmap: Flatmap, codes: xr.DataArray, colours: Sequence[str]
) -> NDArray[np.float32]:
    """Let voxels vote for the colour of each pixel.

    Codes (voxel) are places in `colours`; -1 abstains. Returns RGBA, [row, column, 4], transparent
    where no category wins.
    """
    winners = flatmap.vote(codes, len(colours))
    lookup = np.array([to_rgb(colour) for colour in colours] + [(0.0, 0.0, 0.0)], np.float32)
    image = np.empty((*winners.shape, 4), np.float32)
    image[..., :3] = lookup[winners]  # -1 picks the last, which is transparent
    image[..., 3] = winners >= 0
    return image
