"""Reads the Natural Scenes Dataset: what its files say, in the words of the interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from brainstruct.brain.grid import Grid
from brainstruct.datasets.nsd.captions import read_captions
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.design import read_expdesign
from brainstruct.datasets.nsd.grid import read_grid
from brainstruct.datasets.nsd.measured import known_noise, read_trials, voxels_of
from brainstruct.datasets.nsd.rois import read_family
from brainstruct.datasets.nsd.stimuli import StimulusReader
from brainstruct.datasets.nsd.transforms import read_fsaverage, read_places
from brainstruct.datasets.nsd.trials import list_stimuli, list_trials
from brainstruct.datasets.reading import Family, NoiseCeiling, Pixels, Reader, Side, Trials


class NsdReader(Reader):
    """The NSD, or what is written in its formats."""

    def __init__(self, dataset: Nsd) -> None:
        self.dataset, self.layout = dataset, dataset.layout

    def stimuli(self, image_set: str) -> pd.DataFrame:
        """List the images planned for all subjects, or for one alone."""
        sessions = self.dataset.sessions_of_images(image_set, self.dataset.subjects[:1])
        return list_stimuli(self.layout, image_set, sessions)

    def trials(self, subject: str) -> pd.DataFrame:
        """List the trials of a subject's first sessions."""
        return self._trials(subject, self.dataset.sessions_read(subject).count)

    def _trials(self, subject: str, sessions: int) -> pd.DataFrame:
        return list_trials(read_expdesign(self.layout.expdesign_file), subject, sessions)

    def pixels(self) -> AbstractContextManager[Pixels]:
        """Open the file of all images."""
        return StimulusReader(self.layout.stimuli_file)

    def captions(self, stimuli: pd.DataFrame) -> dict[int, list[str]]:
        """Read the captions that people wrote for the images of COCO."""
        return read_captions(self.layout, stimuli)

    def betas(self, subject: str, mask: str) -> Iterator[Trials]:
        """Read session by session."""
        return read_trials(self.layout, subject, mask, self.dataset.sessions_read(subject))

    def places(self, subject: str, mask: str) -> xr.Dataset:
        """Return the voxels of a mask."""
        return voxels_of(self.layout, subject, mask)

    def noise_ceiling(self, subject: str, mask: str) -> NoiseCeiling:
        """Read the ncsnr that comes with the betas."""
        trials = self._trials(subject, self.dataset.ncsnr_sessions_of(subject))
        return known_noise(self.layout, subject, mask, trials)

    def facts(self, subject: str) -> dict[str, Any]:
        """Return preparation, version and format of the betas."""
        form = self.dataset.sessions_read(subject).format
        return {"space": self.layout.space, "betas": self.layout.betas, "format": form}

    def region(self, subject: str, family: str, places: xr.Dataset) -> Family:
        """Read a family of regions."""
        return read_family(self.layout, subject, family, places)

    def grid(self, subject: str, mask: str, shape: Sequence[int]) -> Grid:
        """Read the header of the mask."""
        return read_grid(self.layout.roi_file(subject, mask), shape)

    def vertices(self, subject: str, mask: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
        """Read the data set's transforms."""
        return read_places(self.layout, subject, mask)

    def average_vertices(self, subject: str, side: Side, n_vertices: int) -> NDArray[np.int64]:
        """Read the transform to fsaverage."""
        return read_fsaverage(self.layout, subject, side, n_vertices)
