"""Flatmaps: which pycortex subject shows which subject of the study."""

from typing import Literal

from pydantic import Field

from brainstruct.settings.base import Block, FilePath, Key, SurfaceName


class Flatmaps(Block):
    """Which cortex a subject's flatmaps show.

    Attributes
    ----------
    source : str
        ``store``: a pycortex filestore that is ready; ``freesurfer``: the
        subject's surfaces and flat patches in the data set, or, without
        patches, as ``fsaverage``: the average cortex, to which the data set's
        transforms carry the subject's voxels; ``auto``: the first of these
        whose files are there, subject by subject.
    store : str or None
        Filestore with the subjects' surfaces; ``null``: the one that ships
        with pycortex (subject S1). It is only read.
    subject, transform : str
        Names in the filestore; ``{subject}`` stands for the study's subject.
    patch : str
        Name of FreeSurfer's flat patches, ``?h.<patch>.flat.patch.3d``.
    height : int
        Height of a flatmap in pixels.
    """

    source: Literal["auto", "freesurfer", "store", "fsaverage"] = "auto"
    store: FilePath | None = None
    subject: SurfaceName = "{subject}"
    transform: SurfaceName
    patch: Key = "full"
    height: int = Field(default=1024, ge=64, le=8192)
