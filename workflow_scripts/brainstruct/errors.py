"""The one kind of error that a user is meant to read."""

from __future__ import annotations

from os import PathLike


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
        joint = "" if self.fault.endswith("\n") else ". "  # a list of faults ends its own line
        super().__init__(f"{self.where}: {self.fault}{joint}{self.cure}.")
