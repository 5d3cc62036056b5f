"""What rules/plan.smk takes."""

from __future__ import annotations

from dataclasses import dataclass

from brainstruct.workflow.room import Room


@dataclass(frozen=True)
class PlanRoom(Room):
    """Names; see `Room`."""

    def plan(self) -> str:
        """Name the file with what the study will take."""
        return f"{self.root}/plan.json"
