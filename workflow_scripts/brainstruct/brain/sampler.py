"""From voxels to places on a cortex: pixels of a flatmap, or vertices of a surface."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse

from brainstruct.errors import InputError

MAJORITY = 0.5
"""Share of the depth of the cortex that must be known for a place to have a value."""

_ROUNDING = 1e-6


@dataclass(frozen=True)
class Sampler:
    """Which voxels lie under each of many places on a cortex."""

    # [place, voxel]: voxels of the whole volume in the order of (k, j, i). A row holds the share of
    # each voxel in the depth of the cortex there.
    shares: sparse.csr_array
    volume_shape: tuple[int, int, int]  # voxels along i, j and k

    def average(self, values: xr.DataArray) -> NDArray[np.float32]:
        """Average a continuous value over the depth of the cortex.

        Values are (voxel), with the coordinates i, j, k; NaN is left out. The result is
        [place], NaN where most of the depth has no value.
        """
        columns = self.columns(values)
        numbers = np.asarray(values, np.float32)
        known = np.isfinite(numbers)
        weights = self._sum(columns[known], np.ones(int(known.sum()), np.float32))
        sums = self._sum(columns[known], numbers[known])
        with np.errstate(invalid="ignore"):
            mean: NDArray[np.float32] = np.where(self._enough(weights), sums / weights, np.nan)
        return mean

    def coverage(self, members: xr.DataArray) -> NDArray[np.float32]:
        """Return the share of the cortical depth that lies in a set of voxels.

        Members are bool, as `average` takes values. The result is [place], 0 to 1; NaN
        outside the volume.
        """
        chosen = self.columns(members)[np.asarray(members, bool)]
        share = self._sum(chosen, np.ones(len(chosen), np.float32))
        with np.errstate(invalid="ignore"):
            covered: NDArray[np.float32] = share / self.depth
        return covered

    def vote(self, codes: xr.DataArray, n_codes: int) -> NDArray[np.int64]:
        """Let the voxels under each place vote for a category.

        Averaging numbers of categories would give categories that no voxel
        has; here the one with the largest share of the depth wins, the first
        of several with the same share. Codes are 0 to `n_codes` - 1, as `average` takes
        values; -1 abstains. The result is [place], -1 where most of the depth abstains.
        """
        columns = self.columns(codes)
        numbers = np.asarray(codes, np.int64)
        winner = np.full(self.shares.shape[0], -1, np.int64)
        votes = np.zeros(self.shares.shape[0], np.float32)
        turnout = np.zeros_like(votes)
        for code in range(n_codes):
            members = columns[numbers == code]
            if members.size:
                share = self._sum(members, np.ones(len(members), np.float32))
                turnout += share
                ahead = share > votes + _ROUNDING  # rounding is no majority
                winner[ahead] = code
                votes[ahead] = share[ahead]
        return np.where(self._enough(turnout), winner, -1)

    @cached_property
    def depth(self) -> NDArray[np.float32]:
        """[place]: share of the cortical depth that lies in the volume."""
        return np.asarray(self.shares.sum(axis=1), np.float32).ravel()

    def columns(self, values: xr.DataArray) -> NDArray[np.int64]:
        """Return the columns of `shares` that voxels have.

        An `InputError` if a voxel lies outside the volume.
        """
        ijk = np.stack([np.asarray(values[axis], np.int64) for axis in ("i", "j", "k")])
        if ijk.size and ((ijk < 0).any() or (ijk.max(axis=1) >= self.volume_shape).any()):
            raise InputError(
                "flatmaps.transform",
                f"covers {times(self.volume_shape)} voxels, but the data have voxels up to "
                f"({', '.join(str(index) for index in ijk.max(axis=1))})",
                "Name the transform that belongs to the space of the betas",
            )
        i, j, k = ijk
        return np.asarray(np.ravel_multi_index((k, j, i), self.volume_shape[::-1]))

    def _enough(self, weights: NDArray[np.float32]) -> NDArray[np.bool_]:
        return np.asarray((weights > 0) & (weights >= MAJORITY * self.depth - _ROUNDING))

    def _sum(self, columns: NDArray[np.int64], values: NDArray[np.float32]) -> NDArray[np.float32]:
        volume = np.zeros(self.shares.shape[1], np.float32)
        volume[columns] = values
        return np.asarray(self.shares @ volume)


def sampler_at(places: NDArray[np.floating], volume_shape: Sequence[int]) -> Sampler:
    """Build the sampler of places that are known at several depths of the cortex.

    The voxel that holds a point is the point's, depth by depth, and depths weigh the same: as
    pycortex does with an affine transform, and right for any alignment. `places` are [depth, place,
    (i, j, k)], in voxels from 0, fractions included; NaN where unknown.
    """
    rows, columns = [], []
    columns_, rows_, depth_ = (int(length) for length in volume_shape)
    shape = columns_, rows_, depth_
    for points in places:
        place = np.rint(points)
        within = ((place >= 0) & (place < shape)).all(axis=1)  # false for NaN
        i, j, k = place[within].astype(np.int64).T
        rows.append(np.flatnonzero(within))
        columns.append(np.ravel_multi_index((k, j, i), shape[::-1]))
    entries = np.concatenate(rows), np.concatenate(columns)
    share = np.full(len(entries[0]), 1 / len(places), np.float32)
    shares = sparse.coo_array((share, entries), shape=(places.shape[1], columns_ * rows_ * depth_))
    return Sampler(shares.tocsr(), shape)


def times(shape: Sequence[int]) -> str:
    """Write the shape of a volume."""
    return " x ".join(str(length) for length in shape)
