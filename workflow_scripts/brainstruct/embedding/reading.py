"""Embeddings of chosen images, layer by layer, out of the blocks they were embedded in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from brainstruct.store.arrays import open_dataset, provenance
from brainstruct.store.staging import stage

Rows = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows of a design matrix, and the positions in a block that fill them."""


class Embeddings:
    """Design matrices of one model and instruction, out of blocks that stay open until `close`.

    Rows are in the order of `stimuli`; a `ValueError` if one is in no block or in several. If they
    are `staged`, they are read from copies on this machine's own disk, where it has the room.
    """

    def __init__(
        self, paths: Sequence[Path], stimuli: xr.DataArray, *, staged: bool = False
    ) -> None:
        copies = stage(paths) if staged else {}
        self._blocks = [
            open_dataset(path, ["embedding"], ["layer", "stimulus"], copies.get(path))
            for path in paths
        ]
        self.n_features = self._blocks[0].sizes["feature"]
        self._rows = matching_images(stimuli, [block["stimulus"] for block in self._blocks])

    @property
    def provenance(self) -> dict[str, Any]:
        """What the first block depends on."""
        return provenance(self._blocks[0])

    def layer(self, layer: int) -> NDArray[np.float32]:
        """Read a design matrix [image, feature]; of each block, the layer's slab alone."""
        n_images = sum(len(target) for target, _ in self._rows)
        matrix = np.empty((n_images, self.n_features), dtype=np.float32)
        for block, (target, source) in zip(self._blocks, self._rows, strict=True):
            slab = block["embedding"].sel(layer=layer).transpose("stimulus", "feature").values
            matrix[target] = slab[source]
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
