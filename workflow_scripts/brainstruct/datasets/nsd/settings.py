"""What the configuration says of the NSD: where it lies, and what of it is read."""

from typing import Annotated, Literal

from pydantic import Field

from brainstruct.datasets.interface import Part
from brainstruct.datasets.nsd.numbers import N_SESSIONS
from brainstruct.settings.base import Block, FilePath, Key

MASK = "nsdgeneral"
"""The authors' mask of voxels in visual cortex that respond."""


_Sessions = Annotated[int, Field(gt=0, le=N_SESSIONS)]


DECIDE: dict[Part, set[str]] = {
    "trials": {"nsd_root"},
    "stimuli": {"nsd_root"},
    "pixels": {"nsd_root"},
    "captions": {"nsd_root", "annotations"},
    "betas": {"nsd_root", "space", "betas"},
    "regions": {"nsd_root", "space", "betas"},
    "places": {"nsd_root", "space", "betas"},
    "words": {"space", "betas"},
}
"""Part -> settings that decide what is read; sessions and format are added where they do."""


class NsdSettings(Block):
    """Where the NSD lies on disk and what of it is read.

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
    ncsnr_sessions : "released", int or mapping
        Sessions that ``ncsnr.nii.gz`` was made of, whichever are read.
    """

    nsd_root: FilePath
    annotations: FilePath | None = None
    space: Literal["func1pt8mm", "func1mm"] = "func1pt8mm"
    betas: Key | Literal["betas_fithrf_GLMdenoise_RR", "betas_fithrf", "betas_assumehrf"] = (
        "betas_fithrf_GLMdenoise_RR"
    )
    format: Literal["auto", "hdf5", "nifti"] = "auto"
    sessions: Literal["all"] | _Sessions | dict[Key, _Sessions] = "all"
    ncsnr_sessions: Literal["released"] | _Sessions | dict[Key, _Sessions] = "released"

    def sessions_of(self, subject: str) -> int | None:
        """Return the configured number of sessions, `None` for all on disk."""
        return number_of(self.sessions, subject)


def number_of(sessions: str | int | dict[Key, int], subject: str) -> int | None:
    """Return a subject's number of sessions, where one is configured."""
    if isinstance(sessions, dict):
        return sessions.get(subject)
    return sessions if isinstance(sessions, int) else None
