"""Responses as `brainstruct.datasets.averaging` has made them: what is fitted to and tested on."""

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from brainstruct.datasets.lists import TEST
from brainstruct.errors import InputError
from brainstruct.store.arrays import provenance, read_dataset

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Responses:
    """The responses of a subject, with what encoding models are fitted to and tested on."""

    betas: NDArray[np.float32]  # [image, voxel]: in standard deviations
    train: NDArray[np.bool_]  # [image]: images of the training set; the others are tested on
    test_set: str  # name of the test set, to which all others belong
    weights: NDArray[np.float64]  # [training image]: by its trials, valid or not; 1 on average
    stimulus: xr.DataArray  # what rows are
    voxel: xr.DataArray  # what columns are
    provenance: dict[str, Any]  # what they depend on

    @property
    def measured(self) -> NDArray[np.float32]:
        """[training image, voxel]."""
        return self.betas[self.train]

    @property
    def truth(self) -> NDArray[np.float32]:
        """[test image, voxel]."""
        return self.betas[~self.train]

    @property
    def tested(self) -> IntArray:
        """Ids of the test images."""
        return np.asarray(self.stimulus.values[~self.train])


@dataclass(frozen=True)
class Tested:
    """The images that a subject's encoding models are tested on."""

    test_set: str  # name of the test set
    images: IntArray  # [image]: their ids, as in the file
    repetitions: IntArray  # [image]: trials that each response is the mean of


def read_responses(path: str | PathLike[str]) -> Responses:
    """Read all prepared responses of a subject; an `InputError` if there are several test sets."""
    names = ["betas", "split", "test_set", "repetitions"]
    stored = read_dataset(path, names, ["stimulus", "voxel"])
    tested = _is_tested(stored)
    times = stored["repetitions"].values[~tested]
    return Responses(
        stored["betas"].transpose("stimulus", "voxel").values,
        ~tested,
        _test_set(path, stored["test_set"].values[tested]),
        times / times.mean(),
        stored["stimulus"],
        stored["voxel"],
        provenance(stored),
    )


def images_tested(path: str | PathLike[str]) -> Tested:
    """Return the images that a subject's encoding models are tested on; see `read_responses`."""
    stored = read_dataset(path, ["split", "test_set", "repetitions"], ["stimulus"], only=True)
    tested = _is_tested(stored)
    return Tested(
        _test_set(path, stored["test_set"].values[tested]),
        stored["stimulus"].values[tested],
        stored["repetitions"].values[tested],
    )


def read_betas(path: str | PathLike[str], images: IntArray) -> xr.DataArray:
    """Read the responses to images, by their ids in the order asked for.

    They are (stimulus, voxel), float32, in standard deviations. An `InputError` if one is missing.
    """
    read = read_dataset(
        path, ["betas"], ["stimulus", "voxel"], select={"stimulus": images}, only=True
    )
    return read["betas"].transpose("stimulus", "voxel")


def _is_tested(stored: xr.Dataset) -> NDArray[np.bool_]:
    """Tell which images, [image], are scored."""
    return np.asarray(stored["split"].values == TEST)


def _test_set(path: str | PathLike[str], names: Iterable[str]) -> str:
    """Return the name that all test images give as their test set."""
    found = sorted({str(name) for name in names})
    if len(found) == 1 and found[0]:
        return found[0]
    raise InputError(
        path,
        f"has the test sets: {', '.join(name or 'none' for name in found) or 'none'}; "
        "one test set is scored",
        "Give every test image the name of the same test set",
    )
