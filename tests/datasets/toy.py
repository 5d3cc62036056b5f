"""A data set in memory: two subjects, one image set for both and one for each alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import ClassVar

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.datasets.interface import About, DataSet
from brainstruct.datasets.lists import image_list
from brainstruct.datasets.reading import Family, NoiseCeiling, Pixels, Reader, Trials

BOTH, ANNA, BO = range(0, 10), range(10, 30), range(30, 50)
"""Ids of the images planned for both, and for each alone."""


class Toy(DataSet):
    about: ClassVar[About] = About("Toy", "toy")
    id_name: ClassVar[str] = "toy_id"
    own_columns: ClassVar[tuple[str, ...]] = ("source",)

    @property
    def subjects(self) -> tuple[str, ...]:
        return "anna", "bo"

    def image_sets(self, subjects: Sequence[str]) -> dict[str, int]:
        return {"both": len(BOTH)} | {name: len(ANNA) for name in subjects}

    def image_sets_of(self, subject: str) -> list[str]:
        return [subject, "both"]

    def reader(self) -> ToyReader:
        return ToyReader([])


class ToyReader(Reader):
    """Responses in memory, of one subject.

    `shown` are ids, piece by piece: trials that were measured together.
    """

    def __init__(
        self,
        shown: Sequence[Sequence[int]],
        pieces: Sequence[Trials] = (),
        ncsnr: NoiseCeiling | None = None,
    ) -> None:
        self.shown = [np.asarray(ids, dtype=np.int64) for ids in shown]
        self.pieces, self.known = pieces, ncsnr

    @property
    def seen(self) -> np.ndarray:
        return np.concatenate([*self.shown, np.array([], dtype=np.int64)])

    def stimuli(self, image_set: str) -> pd.DataFrame:
        planned = np.array({"both": BOTH, "anna": ANNA, "bo": BO}[image_set])
        return pd.DataFrame(
            {
                "stimulus": planned,
                "shown": np.isin(planned, self.seen),
                "test_set": "both" if image_set == "both" else "",
                "source": [f"photograph {number}" for number in planned],
            }
        )

    def trials(self, subject: str) -> pd.DataFrame:
        session = np.repeat(np.arange(len(self.shown)) + 1, [len(ids) for ids in self.shown])
        return pd.DataFrame({"session": session, "run": 1, "stimulus": self.seen})

    def pixels(self) -> AbstractContextManager[Pixels]:
        raise NotImplementedError

    def betas(self, subject: str, mask: str) -> Iterator[Trials]:
        yield from self.pieces

    def places(self, subject: str, mask: str) -> xr.Dataset:
        count = self.pieces[0].betas.shape[1]
        return xr.Dataset(coords={"voxel": np.arange(count), "depth": ("voxel", np.arange(count))})

    def noise_ceiling(self, subject: str, mask: str) -> NoiseCeiling | None:
        return self.known

    def region(self, subject: str, family: str, places: xr.Dataset) -> Family:
        numbers = places["depth"].to_numpy() % 3
        return Family(family, numbers.astype(np.int16), {1: "one", 2: "two"})

    def images(self, subject: str = "anna") -> pd.DataFrame:
        """The image list as jobs read it from disk."""
        found = image_list(Toy(), self, subject).rename(columns={"toy_id": "stimulus"})
        return found.assign(test_set=found["test_set"].fillna(""))
