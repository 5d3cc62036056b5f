"""Whether a file on disk is the one on the server."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from brainstruct.fetch.remote import CHUNK, Remote
from brainstruct.store.checksums import sha256_of

_WHOLE = re.compile(r"[0-9a-f]{32}")
_PARTS = re.compile(r"([0-9a-f]{32})-([0-9]+)")

USUAL_PARTS = tuple(2**20 * size for size in (5, 8, 15, 16, 32, 50, 64, 100, 128, 256, 512, 1024))
"""Part sizes of the common clients of S3, for servers that do not tell."""


def matches(path: Path, remote: Remote) -> bool | None:
    """Compare a file's content with the server's checksum.

    Parameters
    ----------
    path : pathlib.Path
        A file of the right size.
    remote : Remote
        What the server says.

    Returns
    -------
    bool or None
        `None` if the server offers nothing to compare with: no checksum at
        all, or one over parts of unknown size.

    Notes
    -----
    An entity tag of S3 is the MD5 of the content or, for uploads in parts, the
    MD5 of the parts' MD5 digests, a hyphen and the number of parts (Amazon S3
    User Guide, checking object integrity).
    """
    if remote.sha256 is not None:
        return sha256_of(path) == remote.sha256
    if not remote.etag_is_digest:
        return None
    if _WHOLE.fullmatch(remote.etag):
        return _md5(path) == remote.etag
    if not (tag := _PARTS.fullmatch(remote.etag)):
        return None
    n_parts = int(tag[2])
    told = remote.part_size
    sizes = [
        size
        for size in ((told,) if told else USUAL_PARTS)
        if (n_parts - 1) * size < remote.size <= n_parts * size
    ]
    if any(_digest_of_parts(path, size) == tag[1] for size in sizes):
        return True
    # A guessed size proves nothing; a stated one that fits does.
    return False if told and sizes else None


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, _new_md5).hexdigest()


def _digest_of_parts(path: Path, part_size: int) -> str:
    whole = _new_md5()
    with path.open("rb") as file:
        while chunk := file.read(min(CHUNK, part_size)):
            part, left = _new_md5(), part_size - len(chunk)
            part.update(chunk)
            while left and (chunk := file.read(min(CHUNK, left))):
                part.update(chunk)
                left -= len(chunk)
            whole.update(part.digest())
    return whole.hexdigest()


def _new_md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)
