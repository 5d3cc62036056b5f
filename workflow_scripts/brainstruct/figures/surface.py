"""From voxels to the pixels of a flattened cortex."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse

from brainstruct.errors import InputError

Image = NDArray[np.float32]


MAJORITY = 0.5
"""Share of the depth of the cortex that must be known for a pixel to be shown."""

_ROUNDING = 1e-6


@dataclass(frozen=True)
class Flatmap:
    """A flattened cortex, and which voxels lie under each of its pixels.

    Attributes
    ----------
    sampler : scipy.sparse.csr_array
        [pixel, voxel]: pixels inside the cortex, row by row from the top;
        voxels of the whole volume in the order of (k, j, i). A row holds the
        share of each voxel in the depth of the cortex under the pixel.
    inside : numpy.ndarray
        [row, column], bool: pixels that are cortex, top row first.
    extent : tuple of float
        Left, right, bottom and top of the image in the plane of the flatmap,
        mm; the hemispheres meet at 0.
    curvature : numpy.ndarray
        [row, column]: smoothed mean curvature, positive on gyri; NaN outside.
    volume_shape : tuple of int
        Voxels along i, j and k.
    note : str
        What a reader of a figure must know about the cortex, if anything.
    """

    sampler: sparse.csr_array
    inside: NDArray[np.bool_]
    extent: tuple[float, float, float, float]
    curvature: Image
    volume_shape: tuple[int, int, int]
    note: str = ""

    def average(self, values: xr.DataArray) -> Image:
        """Average a continuous value over the depth of the cortex.

        Parameters
        ----------
        values : xarray.DataArray
            (voxel), with the voxel coordinates i, j, k; NaN is left out of
            averages.

        Returns
        -------
        numpy.ndarray
            [row, column]; NaN where most of the depth has no value.
        """
        columns = self.columns(values)
        numbers = np.asarray(values, np.float32)
        known = np.isfinite(numbers)
        weights = self._column(columns[known], np.ones(int(known.sum()), np.float32))
        sums = self._column(columns[known], numbers[known])
        with np.errstate(invalid="ignore"):
            return self.image(np.where(self._enough(weights), sums / weights, np.nan))

    def coverage(self, members: xr.DataArray) -> Image:
        """Return the share of the cortical depth that lies in a set of voxels.

        Parameters
        ----------
        members : xarray.DataArray
            (voxel), bool, with the voxel coordinates i, j, k.

        Returns
        -------
        numpy.ndarray
            [row, column], 0 to 1; NaN outside the cortex or the volume.
        """
        chosen = self.columns(members)[np.asarray(members, bool)]
        share = self._column(chosen, np.ones(len(chosen), np.float32))
        with np.errstate(invalid="ignore"):
            return self.image(share / self.depth)

    def vote(self, codes: xr.DataArray, n_codes: int) -> NDArray[np.int64]:
        """Let the voxels under each pixel vote for a category.

        Averaging numbers of categories would show categories that no voxel
        has; here the one with the largest share of the depth wins, the first
        of several with the same share.

        Parameters
        ----------
        codes : xarray.DataArray
            (voxel), integers, with the voxel coordinates i, j, k; -1 abstains.
        n_codes : int
            Number of categories.

        Returns
        -------
        numpy.ndarray
            [row, column], -1 where voxels of most of the depth abstain.
        """
        columns = self.columns(codes)
        numbers = np.asarray(codes, np.int64)
        winner = np.full(self.sampler.shape[0], -1, np.int64)
        votes = np.zeros(self.sampler.shape[0], np.float32)
        turnout = np.zeros_like(votes)
        for code in range(n_codes):
            members = columns[numbers == code]
            if members.size:
                share = self._column(members, np.ones(len(members), np.float32))
                turnout += share
                ahead = share > votes + _ROUNDING  # rounding is no majority
                winner[ahead] = code
                votes[ahead] = share[ahead]
        image = np.full(self.inside.shape, -1, np.int64)
        image[self.inside] = np.where(self._enough(turnout), winner, -1)
        return image

    @cached_property
    def depth(self) -> NDArray[np.float32]:
        """[pixel]: share of the cortical depth that lies in the volume."""
        return np.asarray(self.sampler.sum(axis=1), np.float32).ravel()

    def image(self, pixels: NDArray[np.floating]) -> Image:
        """Arrange one value per pixel inside the cortex as an image, NaN outside."""
        image = np.full(self.inside.shape, np.nan, np.float32)
        image[self.inside] = pixels
        return image

    def columns(self, values: xr.DataArray) -> NDArray[np.int64]:
        """Return the sampler's columns of voxels.

        Raises
        ------
        InputError
            If a voxel lies outside the volume.
        """
        ijk = np.stack([np.asarray(values[axis], np.int64) for axis in ("i", "j", "k")])
        if ijk.size and ((ijk < 0).any() or (ijk.max(axis=1) >= self.volume_shape).any()):
            raise InputError(
                "flatmaps.transform",
                f"covers {_times(self.volume_shape)} voxels, but the data have voxels up to "
                f"({', '.join(str(index) for index in ijk.max(axis=1))})",
                "Name the transform that belongs to the space of the betas",
            )
        i, j, k = ijk
        columns: NDArray[np.int64] = np.ravel_multi_index((k, j, i), self.volume_shape[::-1])
        return columns

    def _enough(self, weights: NDArray[np.float32]) -> NDArray[np.bool_]:
        enough: NDArray[np.bool_] = (weights > 0) & (weights >= MAJORITY * self.depth - _ROUNDING)
        return enough

    def _column(self, columns: NDArray[np.int64], values: Image) -> Image:
        volume = np.zeros(self.sampler.shape[1], np.float32)
        volume[columns] = values
        pixels: Image = self.sampler @ volume
        return pixels


def check_volume(transform_shape: Sequence[int], data_shape: Sequence[int], name: str) -> None:
    """Check that a transform was made for volumes of the data's shape.

    Raises
    ------
    InputError
        If it was not.
    """
    if tuple(transform_shape) != tuple(data_shape):
        raise InputError(
            "flatmaps.transform",
            f"'{name}' is for volumes of {_times(transform_shape)} voxels, the data have "
            f"{_times(data_shape)}",
            "Name the transform that belongs to the space of the betas",
        )


def _times(shape: Sequence[int]) -> str:
    return " x ".join(str(length) for length in shape)
