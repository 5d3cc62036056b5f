"""The checksum by which files are known."""

import hashlib
from os import PathLike
from pathlib import Path


def sha256_of(path: str | PathLike[str]) -> str:
    """Return the SHA-256 of a file's content, 64 hexadecimal digits; read in pieces."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
