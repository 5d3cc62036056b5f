"""The checksum by which files are known."""

from __future__ import annotations

import hashlib
from os import PathLike
from pathlib import Path


def sha256_of(path: str | PathLike[str]) -> str:
    """Return the SHA-256 of a file's content, read in pieces.

    Parameters
    ----------
    path : path
        A file of any size.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
