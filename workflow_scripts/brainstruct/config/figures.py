"""Flatmaps: which pycortex subject shows which subject of the study."""

from __future__ import annotations

from pydantic import Field

from brainstruct.config.base import Block


class Flatmaps(Block):
    """A pycortex filestore and the names in it.

    Attributes
    ----------
    store : str or None
        Filestore with the subjects' surfaces; ``null``: the one that ships
        with pycortex (subject S1). It is only read.
    subject, transform : str
        Names in the filestore; ``{subject}`` stands for the study's subject.
    height : int
        Height of a flatmap in pixels.
    """

    store: str | None = None
    subject: str = "{subject}"
    transform: str
    height: int = Field(default=1024, ge=64, le=8192)
