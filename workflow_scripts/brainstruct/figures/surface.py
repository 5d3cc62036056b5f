"""From voxels to the pixels of a flattened cortex, which jobs share as a file."""

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse

from brainstruct.brain.sampler import Sampler, times
from brainstruct.errors import InputError
from brainstruct.store.faults import reading
from brainstruct.store.publishing import publish

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Flatmap:
    """A flattened cortex, and which voxels lie under each of its pixels."""

    # [pixel, voxel]: pixels inside the cortex, row by row from the top; voxels of the whole volume
    # in the order of (k, j, i). A row holds the share of each voxel in the depth of the cortex
    # under the pixel.
    sampler: sparse.csr_array
    inside: NDArray[np.bool_]  # [row, column]: pixels that are cortex, top row first
    # Left, right, bottom and top of the image in the plane, mm; the hemispheres meet at 0.
    extent: tuple[float, float, float, float]
    curvature: Image  # [row, column]: smoothed mean curvature, positive on gyri; NaN outside
    volume_shape: tuple[int, int, int]  # voxels along i, j and k
    note: str = ""  # what a reader of a figure must know about the cortex, if anything
    # [vertex, (x, y)]: where the vertices of both hemispheres lie in the plane, mm; NaN for those
    # that are cut away.
    vertices: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))

    @cached_property
    def under(self) -> Sampler:
        """The voxels under the pixels inside."""
        return Sampler(self.sampler, self.volume_shape)

    def average(self, values: xr.DataArray) -> Image:
        """Average a continuous value over the depth, [row, column]; see `Sampler.average`."""
        return self.image(self.under.average(values))

    def coverage(self, members: xr.DataArray) -> Image:
        """Return the share of the depth in a set of voxels; see `Sampler.coverage`."""
        return self.image(self.under.coverage(members))

    def vote(self, codes: xr.DataArray, n_codes: int) -> NDArray[np.int64]:
        """Let voxels vote for a category, [row, column], -1: none; see `Sampler.vote`."""
        image = np.full(self.inside.shape, -1, np.int64)
        image[self.inside] = self.under.vote(codes, n_codes)
        return image

    @property
    def depth(self) -> NDArray[np.float32]:
        """[pixel]: share of the cortical depth that lies in the volume."""
        return self.under.depth

    @property
    def midline(self) -> int:
        """The first column of the right hemisphere."""
        left, right, _, _ = self.extent
        column: int = round(self.inside.shape[1] * -left / (right - left))
        return column

    def image(self, pixels: NDArray[np.floating]) -> Image:
        """Arrange one value per pixel inside the cortex as an image, NaN outside."""
        image = np.full(self.inside.shape, np.nan, np.float32)
        image[self.inside] = pixels
        return image


def write_flatmap(flatmap: Flatmap, path: str | os.PathLike[str]) -> None:
    """Publish a flatmap; the same flatmap gives the same bytes."""
    with publish(path) as temporary:
        np.savez(
            temporary,
            data=flatmap.sampler.data,
            indices=flatmap.sampler.indices,
            indptr=flatmap.sampler.indptr,
            inside=flatmap.inside,
            extent=np.array(flatmap.extent),
            curvature=flatmap.curvature,
            volume_shape=np.array(flatmap.volume_shape),
            note=np.array(flatmap.note),
            vertices=flatmap.vertices,
        )


def read_flatmap(path: str | os.PathLike[str]) -> Flatmap:
    """Read a flatmap written by `write_flatmap`."""
    folder = Path(path).parent
    cure = f"Delete the folder {folder} and ready.json of the pycortex store, and run again"
    with reading(path, "flatmap", cure):
        _require_plain(path)
        with np.load(path, allow_pickle=False) as stored:
            parts = {name: stored[name] for name in stored.files}
        columns, rows, depth = (int(length) for length in parts["volume_shape"])
        left, right, bottom, top = (float(edge) for edge in parts["extent"])
        return Flatmap(
            sampler=sparse.csr_array(
                (parts["data"], parts["indices"], parts["indptr"]),
                shape=(int(parts["inside"].sum()), columns * rows * depth),
            ),
            inside=parts["inside"],
            extent=(left, right, bottom, top),
            curvature=parts["curvature"],
            volume_shape=(columns, rows, depth),
            note=str(parts["note"]),
            vertices=parts["vertices"],
        )


def _require_plain(path: str | os.PathLike[str]) -> None:
    """Refuse arrays that are packed, or larger than the file: flatmaps are written plainly."""
    with zipfile.ZipFile(path) as stored:
        if sum(part.file_size for part in stored.infolist()) > Path(path).stat().st_size:
            raise ValueError("announces more than it holds")


def check_volume(transform_shape: Sequence[int], data_shape: Sequence[int], name: str) -> None:
    """Raise InputError unless a transform was made for volumes of the data's shape."""
    if tuple(transform_shape) != tuple(data_shape):
        raise InputError(
            "flatmaps.transform",
            f"'{name}' is for volumes of {times(transform_shape)} voxels, the data have "
            f"{times(data_shape)}",
            "Name the transform that belongs to the space of the betas",
        )
