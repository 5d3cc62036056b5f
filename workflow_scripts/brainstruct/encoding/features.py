"""One layer's design matrix from blocks of embedded images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray


def matching_images(
    wanted: xr.DataArray, available: Sequence[xr.DataArray]
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Find where each wanted image lies in the blocks.

    Parameters
    ----------
    wanted, available : xarray.DataArray, and a sequence of them
        ``nsd_id`` of the rows of the design matrix, and of each block.

    Returns
    -------
    list of (rows, positions)
        For each block, rows of the design matrix and the positions in the
        block that fill them.

    Raises
    ------
    ValueError
        If an image is in no block or in more than one.
    """
    place = pd.Index(wanted.values)
    filled = np.zeros(len(place), dtype=int)
    found = []
    for block in available:
        rows = place.get_indexer(block.values)
        positions = np.flatnonzero(rows >= 0)
        np.add.at(filled, rows[positions], 1)
        found.append((rows[positions], positions))
    if (filled != 1).any():
        missing = place[filled == 0].tolist()
        raise ValueError(
            f"{len(missing)} of {len(place)} images are not embedded (first: {missing[:5]}), "
            f"{int((filled > 1).sum())} are embedded more than once"
        )
    return found


def layer_features(
    blocks: Sequence[xr.Dataset],
    layer: int,
    rows: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
) -> NDArray[np.float32]:
    """Read one layer of every block into one design matrix.

    Only the layer's slab is read; blocks store one chunk per layer.

    Parameters
    ----------
    blocks : sequence of xarray.Dataset
        ``embedding`` with dims layer, nsd_id, feature; opened lazily.
    layer : int
        Layer number, a coordinate.
    rows : sequence of (rows, positions)
        See `matching_images`.

    Returns
    -------
    array of shape (n_images, n_features)
        float32.

    Raises
    ------
    ValueError
        If there are no blocks.
    """
    if not blocks:
        raise ValueError("no blocks of embeddings")
    n_images = sum(len(target) for target, _ in rows)
    matrix = np.empty((n_images, blocks[0].sizes["feature"]), dtype=np.float32)
    for block, (target, source) in zip(blocks, rows, strict=True):
        slab = block["embedding"].sel(layer=layer).transpose("nsd_id", "feature").values
        matrix[target] = slab[source]
    return matrix
