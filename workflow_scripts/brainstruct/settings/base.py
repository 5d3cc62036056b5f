"""What every block of the configuration has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

LONGEST_KEY = 30
"""Three keys joined, as SLURM's log folders have them, stay below 100 bytes."""

Key = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$", max_length=LONGEST_KEY)
]
"""A word that becomes part of file names: letters, digits and hyphens only."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=64)]
"""A name that others gave and that becomes part of file names: it leads to no other folder."""

SurfaceName = Annotated[
    str,
    StringConstraints(
        pattern=r"^([A-Za-z0-9_]|\{subject\})([A-Za-z0-9_.-]|\{subject\})*$", max_length=64
    ),
]
"""A `Name` in which ``{subject}`` may stand for the study's subject."""


class Block(BaseModel):
    """A block of the configuration: unknown keys are errors, values do not change.

    Numbers are finite: comparisons with NaN decide nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
