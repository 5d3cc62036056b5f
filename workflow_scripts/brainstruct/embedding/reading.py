"""Embeddings of chosen images, layer by layer, out of the blocks they were embedded in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from brainstruct.store.arrays import open_dataset, provenance

Rows = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows of a design matrix, and the positions in a block that fill them."""


class Embeddings:
    """Design matrices of one model and instruction, out of blocks that stay open until `close`.

    Rows are in the order of `stimuli`; a `ValueError` if one is in no block or in several.
    """

    def __init__(self, paths: Sequence[Path], stimuli: xr.DataArray) -> None:
        self._blocks = [open_dataset(path, ["embedding"], ["layer", "stimulus"]) for path in paths]
        self._rows = matching_images(stimuli, [block["stimulus"] for block in self._blocks])

    @property
    def provenance(self) -> dict[str, Any]:
        """What the first block depends on."""
        return provenance(self._blocks[0])

    def layer(self, layer: int) -> NDArray[np.float32]:
        """Read a design matrix [image, feature]; of each block, the layer's slab alone."""
        n_images = sum(len(target) for target, _ in self._rows)
        matrix: NDArray[np.float32] | None = None
        for block, (target, source) in zip(self._blocks, self._rows, strict=True):
            slab = block["embedding"].sel(layer=layer).transpose("stimulus", "feature").values
            if matrix is None:
                matrix = np.empty((n_images, slab.shape[1]), dtype=np.float32)
            matrix[target] = slab[source]
        if matrix is None:
            raise ValueError("no blocks of embeddings")
        return matrix

    def close(self) -> None:
        """Close all blocks."""
        for block in self._blocks:
            block.close()


def matching_images(wanted: xr.DataArray, available: Sequence[xr.DataArray]) -> list[Rows]:
    """Find where each wanted stimulus lies in the blocks, given the stimuli of each."""
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
