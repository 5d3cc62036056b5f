"""A seal at the end of an array's file: a digest of all but its chunks of numbers.

HDF5 guards chunks by checksums (Fletcher-32), and most of its own structures. What it does not
guard (its heaps of text and references) makes it read nonsense, or wait without end, if a single
byte is wrong. So that part is known by a digest, which is compared before HDF5 sees the file. It
stands behind the end that HDF5 knows of, and other programs read such a file as any.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from brainstruct.errors import InputError
from brainstruct.store.faults import reading

_MARK = b"brainstruct-seal"
_LENGTH = 8  # bytes of the number before the mark: how long the seal is

_Spans = list[list[int]]
"""Begin and end of pieces of a file, in their order."""


def sealed(content: BytesIO) -> bytes:
    """Return the seal of an HDF5 file whose chunks have checksums."""
    spans = _beside_chunks(content)
    seal = json.dumps({"spans": spans, "sha256": _digest(content, spans)}).encode()
    return seal + len(seal).to_bytes(_LENGTH, "little") + _MARK


def require_seal(path: str | os.PathLike[str], cure: str, copy: IO[bytes] | None = None) -> None:
    """Refuse a file, or an open copy of it, that is not as it was sealed, but for its chunks."""
    fault = "is damaged, cut, or of another version: the seal at its end"
    with (
        reading(path, "file with a seal", cure),
        nullcontext(copy) if copy else Path(path).open("rb") as file,
    ):
        tail = len(_MARK) + _LENGTH
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - tail, 0))
        foot = file.read()
        length = int.from_bytes(foot[:_LENGTH], "little")
        if foot[_LENGTH:] != _MARK or length > end - tail:
            raise InputError(path, f"{fault} is not there", cure)
        file.seek(end - tail - length)
        seal = json.loads(file.read(length))
        if _digest(file, seal["spans"]) != seal["sha256"]:
            raise InputError(path, f"{fault} is of another content", cure)


def _beside_chunks(content: BytesIO) -> _Spans:
    """Find what lies between chunks."""
    import h5py

    chunks: list[tuple[int, int]] = []

    def keep(one: Any) -> None:
        chunks.append((one.byte_offset, one.byte_offset + one.size))

    def look(_: str, found: object) -> None:
        if isinstance(found, h5py.Dataset) and found.fletcher32:
            found.id.chunk_iter(keep)

    with h5py.File(content, "r") as file:
        file.visititems(look)
    spans, at = [], 0
    for start, stop in [*sorted(chunks), (content.seek(0, os.SEEK_END),) * 2]:
        if start > at:
            spans.append([at, start])
        at = stop
    return spans


def _digest(file: IO[bytes], spans: Iterable[Iterable[int]]) -> str:
    """Digest pieces of a file, and where they lie."""
    digest = hashlib.sha256()
    for start, stop in spans:
        file.seek(start)
        digest.update(f"{start} {stop}\n".encode() + file.read(stop - start))
    return digest.hexdigest()
