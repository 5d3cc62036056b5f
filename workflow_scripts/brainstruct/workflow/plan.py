"""What rules/plan.smk takes."""

from dataclasses import dataclass

from brainstruct.workflow.room import Room, file


@dataclass(frozen=True)
class PlanRoom(Room):
    """Names; see `Room`."""

    plan = file("plan.json")  # what the study will take
