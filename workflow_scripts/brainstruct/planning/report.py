"""A plan as it is written to plan.json: the fields are its schema."""

from __future__ import annotations

from brainstruct.config.base import Block
from brainstruct.planning.assumptions import Assumptions


class Stage(Block):
    """The jobs of one rule: times are hours times the GPUs or cores that they ask for."""

    rule: str  # generated rules go by their common name
    jobs: int
    to_do: int  # results are missing or out of date
    measured: int  # their record corrected the estimate
    arithmetic: bool  # else the estimate counts reading and writing alone
    gpu_hours: float
    core_hours: float
    gpu_hours_to_do: float
    core_hours_to_do: float
    peak_memory_mb: float  # that a job will hold
    asked_memory_mb: float  # at first


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
    """What a study will take: stages in the order of the work, and disk."""

    study: str
    stages: list[Stage]
    folders: list[Folder]
    volumes: list[Volume]
    warnings: list[str]
    assumptions: Assumptions = Assumptions()

    def total(self, field: str) -> float:
        """Sum a field over all rules."""
        return float(sum(getattr(stage, field) for stage in self.stages))
