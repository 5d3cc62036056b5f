"""The ``data`` block: which part of the NSD is read, and from where."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from brainstruct.settings.base import Block, Key, Name, Subject


class Data(Block):
    """Where the NSD lies on disk and what of it the study uses.

    Attributes
    ----------
    nsd_root : str
        Folder that holds ``nsddata``, ``nsddata_betas`` and ``nsddata_stimuli``.
    annotations : str or None
        Folder of COCO's ``captions_{train,val}2017.json``.
    space, betas : str
        Sub-folders of ``nsddata_betas/ppdata/subjXX``.
    format : str
        Which files of a session are read; ``auto`` prefers HDF5.
    sessions : "all", int or mapping
        Sessions per subject; ``all`` takes those on disk.
    mask : str
        ROI volume whose voxels with any label (above 0) are analysed.
    rois : list of str
        ROI volumes whose labels are scored.
    images_per_block : int
        Images that one embedding job goes through.
    """

    nsd_root: str
    annotations: str | None = None
    space: Literal["func1pt8mm", "func1mm"] = "func1pt8mm"
    betas: Key | Literal["betas_fithrf_GLMdenoise_RR", "betas_fithrf", "betas_assumehrf"] = (
        "betas_fithrf_GLMdenoise_RR"
    )
    format: Literal["auto", "hdf5", "nifti"] = "auto"
    sessions: Literal["all"] | PositiveInt | dict[Subject, PositiveInt] = "all"
    mask: Name = "nsdgeneral"
    rois: list[Name] = Field(min_length=1)
    images_per_block: PositiveInt = 9000

    def sessions_of(self, subject: str) -> int | None:
        """Return the configured number of sessions, `None` for all on disk."""
        if isinstance(self.sessions, dict):
            return self.sessions.get(subject)
        return None if self.sessions == "all" else self.sessions
