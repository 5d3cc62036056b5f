"""Reads the Natural Scenes Dataset: what its files say, in the words of the interface."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from brainstruct.brain.images import Grid
from brainstruct.datasets.nsd import ids, numbers
from brainstruct.datasets.nsd.betas import SATURATED, SCALE, read_session
from brainstruct.datasets.nsd.captions import read_captions
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.design import planned_images, read_expdesign, trial_nsd_ids
from brainstruct.datasets.nsd.layout import SHARED, SUBJECTS
from brainstruct.datasets.nsd.ncsnr import read_ncsnr
from brainstruct.datasets.nsd.rois import read_family, read_mask
from brainstruct.datasets.nsd.stimuli import StimulusReader, read_stim_info
from brainstruct.datasets.nsd.transforms import read_fsaverage, read_places
from brainstruct.datasets.nsd.volumes import read_grid
from brainstruct.datasets.reading import Family, NoiseCeiling, Pixels, Reader, Side, Trials


class NsdReader(Reader):
    """The NSD, or what is written in its formats."""

    def __init__(self, dataset: Nsd) -> None:
        self.dataset, self.layout = dataset, dataset.layout

    def stimuli(self, image_set: str) -> pd.DataFrame:
        """List the images planned for all subjects, or for one alone.

        Own columns: ``coco_id`` and ``coco_split``, where the image comes from.
        """
        design = read_expdesign(self.layout.expdesign_file)
        sessions = self.dataset.sessions_of_images(image_set, self.dataset.subjects[:1])
        shared = image_set == SHARED
        planned = design.shared if shared else planned_images(design, image_set)
        # Shared images are shown in the same trials to all subjects.
        shown = trial_nsd_ids(design, SUBJECTS[0] if shared else image_set, sessions)
        info = read_stim_info(self.layout.stim_info_file, design).set_index("nsd_id")
        source = info.loc[np.sort(planned), ["coco_id", "coco_split"]]
        found = source.rename_axis("stimulus").reset_index()
        found["shown"] = found["stimulus"].isin(shown)
        found["test_set"] = SHARED if shared else ""
        return found

    def trials(self, subject: str) -> pd.DataFrame:
        """List the trials of a subject's first sessions."""
        return self._trials(subject, self.dataset.sessions_read(subject).count)

    def _trials(self, subject: str, sessions: int) -> pd.DataFrame:
        design = read_expdesign(self.layout.expdesign_file)
        shown = trial_nsd_ids(design, subject, sessions)
        session, row = ids.session_and_row(np.arange(shown.size))
        run = np.searchsorted(np.cumsum(numbers.RUN_TRIALS), row, side="right")
        columns = {"session": session, "run": ids.number_in_sequence(run), "stimulus": shown}
        return pd.DataFrame(columns)

    def pixels(self) -> AbstractContextManager[Pixels]:
        """Open the file of all images."""
        return StimulusReader(self.layout.stimuli_file)

    def captions(self, stimuli: pd.DataFrame) -> dict[int, list[str]]:
        """Read the captions that people wrote for the images of COCO."""
        return read_captions(self.layout, stimuli)

    def betas(self, subject: str, mask: str) -> Iterator[Trials]:
        """Read session by session; numbers at the ends of their type are not valid, nor is NaN."""
        sessions = self.dataset.sessions_read(subject)
        marked = read_mask(self.layout, subject, mask)
        for session in sessions.numbers:
            path = self.layout.betas_file(subject, session, sessions.format)
            stored = read_session(path, marked)
            yield Trials(stored, SCALE, np.isfinite(stored) & ~np.isin(stored, SATURATED))

    def places(self, subject: str, mask: str) -> xr.Dataset:
        """Return the voxels of a mask in the order of ``numpy.argwhere``."""
        marked = read_mask(self.layout, subject, mask)
        place = np.argwhere(marked)
        axes = {axis: ("voxel", column) for axis, column in zip("ijk", place.T, strict=True)}
        return xr.Dataset(
            coords={"voxel": np.arange(len(place)), **axes},
            attrs={"volume_shape": list(marked.shape)},
        )

    def noise_ceiling(self, subject: str, mask: str) -> NoiseCeiling:
        """Read the ncsnr that comes with the betas, made from images shown thrice in its trials."""
        marked = read_mask(self.layout, subject, mask)
        ncsnr = read_ncsnr(self.layout, subject, marked.shape)[marked]
        trials = self._trials(subject, self.dataset.ncsnr_sessions_of(subject))
        return NoiseCeiling(ncsnr, trials, numbers.N_REPETITIONS)

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
