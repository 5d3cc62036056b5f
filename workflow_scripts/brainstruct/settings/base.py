"""What every block of the configuration has in common."""

import os
import re
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from brainstruct.store.texts import unseen

LONGEST_KEY = 30
"""Three keys joined, as SLURM's log folders have them, stay below 100 bytes."""

Repository = Annotated[str, StringConstraints(pattern=r"^[\w.-]+(/[\w.-]+)?$")]
"""A repository of the Hugging Face hub."""

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


def expanded(path: str) -> str:
    """Return a path with ``~``, ``$NAME`` and ``${NAME}`` in it filled in.

    A `ValueError` if a variable is not set, or something that is no path is left.
    """
    unset = [
        name for pair in _VARIABLE.findall(path) for name in pair if name and name not in os.environ
    ]
    if unset:
        raise ValueError(f"${unset[0]} is not set in this shell; set it, or write the path out")
    filled = os.path.expanduser(os.path.expandvars(path))  # noqa: PTH111 - a path stays text
    if filled.startswith("~"):
        raise ValueError(f"there is no user {filled.split('/')[0]}")
    if filled != filled.strip() or not filled.isprintable():
        raise ValueError("begins or ends with a blank, or has characters that cannot be seen")
    if "{" in filled or "}" in filled:
        raise ValueError("has braces, which mean something else to Snakemake; rename the folder")
    if _ELSEWHERE.match(filled):
        raise ValueError("is an address of another machine or drive; write a folder of this one")
    if marks := re.findall(r"[*?<>`\\]", filled):
        raise ValueError(f"has {marks[0]}, which stands for something else; write the folder")
    if _QUOTED.match(filled):
        raise ValueError("has quotes that would be part of its name; write them once")
    return filled


_ELSEWHERE = re.compile(r"[\w.@-]+:[/\\]")
_QUOTED = re.compile("^[\"'\u2018\u201c].*[\"'\u2019\u201d]$")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")

FilePath = Annotated[str, AfterValidator(expanded)]
"""A file or folder on this machine, as text; see `expanded`."""


def readable(text: str) -> str:
    """Return a text for people as it is.

    A `ValueError` if nothing of it can be seen, or there is something in it that no page can show.
    """
    if bad := unseen(text):
        raise ValueError(f"has a character that nothing can show (U+{ord(bad[0]):04X}); delete it")
    if not text.strip():
        raise ValueError("is blank; write what people are to read")
    return text


Text = Annotated[str, StringConstraints(min_length=1), AfterValidator(readable)]
"""What people or models read: anything but control characters; no language takes it for its own."""

NO_BOOLEANS = "true and false are no value here"


class Block(BaseModel):
    """A block of the configuration: unknown keys are errors, values do not change.

    Numbers are finite: comparisons with NaN decide nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _booleans_are_no_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true where 1 is meant; Python takes one for the other."""
        values = value if isinstance(value, list) else [value]
        if any(isinstance(one, bool) for one in values) and info.field_name is not None:
            annotation = cls.model_fields[info.field_name].annotation
            if bool not in (annotation, *get_args(annotation)):
                raise ValueError(NO_BOOLEANS)
        return value
