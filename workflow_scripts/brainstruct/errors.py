"""What a user is meant to read: one kind of error, and findings of whoever looks for more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from typing import Literal, TypeAlias, get_args


class InputError(Exception):
    """Something outside the program is wrong, and the user can mend it.

    Parameters
    ----------
    where : str or path
        The file, folder or configuration key at fault.
    fault : str
        What is wrong, with the numbers that show it.
    cure : str
        What the user can do about it.

    Notes
    -----
    A job that ends with this error prints its one line and no traceback; any
    other exception is a defect of the program and is printed in full.
    """

    def __init__(self, where: str | PathLike[str], fault: str, cure: str) -> None:
        self.where = str(where)
        self.fault = fault.rstrip(".")
        self.cure = cure.rstrip(".")
        super().__init__(_sentences(self.where, self.fault, self.cure))


def _sentences(where: str, *said: str) -> str:
    """Join what is said of something; lists end their own lines, and questions themselves."""
    ends = {"\n": "", "?": " "}
    return f"{where}: " + "".join(one + ends.get(one[-1:], ". ") for one in said).rstrip(" ")


Level: TypeAlias = Literal["error", "warning", "note"]
"""``error``: the study will fail. ``warning``: it will run, perhaps not as meant.
``note``: worth knowing."""

LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class Finding:
    """A file, folder, package or configuration key that is not as it should be, and its cure."""

    level: Level
    where: str
    fault: str
    cure: str

    @property
    def line(self) -> str:
        """The finding as one line."""
        return _sentences(self.where, " ".join(self.fault.split()), self.cure)


@dataclass
class Outcome:
    """What was looked at under one heading (a subject, ``packages``), and what was found."""

    area: str
    checked: str = ""
    findings: list[Finding] = field(default_factory=list)

    def add(self, level: Level, where: object, fault: str, cure: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(level, str(where), fault.rstrip("."), cure.rstrip(".")))

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Turn the refusal of a reader in the block into a finding."""
        try:
            yield
        except InputError as error:
            self.add("error", error.where, error.fault, error.cure)
