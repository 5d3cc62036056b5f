"""A plan as it is written to plan.json: the fields are its schema."""

from __future__ import annotations

from brainstruct.config.base import Block
from brainstruct.planning.assumptions import Assumptions


class Stage(Block):
    """The jobs of one rule.

    Attributes
    ----------
    rule : str
        Its name; generated rules go by their common name.
    jobs, to_do : int
        All jobs, and those whose results are missing or out of date.
    measured : int
        Jobs whose record corrected the estimate.
    arithmetic : bool
        Whether the estimate counts arithmetic, or reading and writing alone.
    gpu_hours, core_hours : float
        Time of all jobs times the GPUs or cores that they ask for.
    gpu_hours_to_do, core_hours_to_do : float
        The same of those that are to do.
    peak_memory_mb, asked_memory_mb : float
        Most memory that a job will hold, and what jobs ask for at first.
    """

    rule: str
    jobs: int
    to_do: int
    measured: int
    arithmetic: bool
    gpu_hours: float
    core_hours: float
    gpu_hours_to_do: float
    core_hours_to_do: float
    peak_memory_mb: float
    asked_memory_mb: float


class Folder(Block):
    """A stage's files: where they lie, how many, their size when all are there and now."""

    folder: str
    files: int
    whole_bytes: int
    stored_bytes: int

    @property
    def bytes_to_come(self) -> int:
        """What is not there yet."""
        return max(0, self.whole_bytes - self.stored_bytes)


class Volume(Block):
    """A file system by a folder on it: what will be written, and what is free."""

    folder: str
    needed_bytes: int
    free_bytes: int

    @property
    def fits(self) -> bool:
        """Whether there is room."""
        return self.needed_bytes <= self.free_bytes


class Plan(Block):
    """What a study will take.

    Attributes
    ----------
    study : str
        Its name.
    stages : list of Stage
        Rule by rule, in the order of the work.
    folders : list of Folder
        Disk, stage by stage.
    volumes : list of Volume
        Disk, file system by file system.
    warnings : list of str
        What will not work as it is.
    assumptions : Assumptions
        What the estimates rest on.
    """

    study: str
    stages: list[Stage]
    folders: list[Folder]
    volumes: list[Volume]
    warnings: list[str]
    assumptions: Assumptions = Assumptions()

    def total(self, field: str) -> float:
        """Sum a field over all rules."""
        return float(sum(getattr(stage, field) for stage in self.stages))
