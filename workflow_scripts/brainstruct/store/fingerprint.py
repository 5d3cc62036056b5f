"""Checksums and digests by which contents are known again, of whole files or of samples."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

LENGTH = 16  # hexadecimal digits that are kept: contents are told apart, not defended
WHOLE = 1 << 20  # bytes up to which a sample is all of it
PIECES, PIECE = 64, 4096  # of larger files: number, and bytes of each

_CODE = Path(__file__).parents[2]

CODE_STAMP = "BRAINSTRUCT_CODE"
"""Environment variable by which a run tells its jobs what `stamp_of_code` was when it began."""

CLOCK = ".snakemake_timestamp"
"""In a folder that is an output: Snakemake takes its time for the folder's."""


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's content, 64 hexadecimal digits; read in pieces."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(path: Path) -> str:
    """Return the digest of all of a file, or of a folder's files and their names."""
    if path.is_dir():
        return _joined((name, digest_of(file)) for name, file in _files(path))
    return sha256_of(path)[:LENGTH]


def sample_of(path: Path) -> str:
    """Return the digest of a file's size and of pieces spread evenly from its start to its end.

    Small files are read whole. It tells versions of a large file apart in some
    milliseconds; it would not see one number that was changed in gigabytes.
    """
    if path.is_dir():
        return _joined((name, sample_of(file)) for name, file in _files(path))
    size = path.stat().st_size
    if size <= WHOLE:
        return digest_of(path)
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for index in range(PIECES):
            file.seek((size - PIECE) * index // (PIECES - 1))
            digest.update(file.read(PIECE))
    return digest.hexdigest()[:LENGTH]


def stamp_of_code() -> str:
    """Return the digest of names, sizes and times of all code."""
    stats = ((path, path.stat()) for path in sorted(_CODE.rglob("*.py")))
    return _joined((str(path), f"{stat.st_size} {stat.st_mtime_ns}") for path, stat in stats)


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    if path.is_dir():
        return sum(file.stat().st_size for _, file in _files(path))
    return path.stat().st_size


def time_of(path: Path) -> int:
    """Return the time of an output as Snakemake sees it, in ns; of a link, its own."""
    return os.lstat(_clock(path)).st_mtime_ns


def set_time(path: Path, time: int) -> None:
    """Set what `time_of` returns."""
    os.utime(_clock(path), ns=(time, time), follow_symlinks=False)


def _clock(path: Path) -> Path:
    if path.is_dir() and not path.is_symlink() and (path / CLOCK).exists():
        return path / CLOCK
    return path


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != CLOCK:
            yield path.relative_to(folder).as_posix(), path


def _joined(parts: Iterator[tuple[str, str]]) -> str:
    text = "".join(f"{name}\t{digest}\n" for name, digest in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]
