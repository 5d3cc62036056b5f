"""Whether a file on disk is the one on the server."""

import hashlib
import re
from pathlib import Path
from typing import IO

from brainstruct.fetch.remote import CHUNK, Remote
from brainstruct.store.fingerprint import sha256_of

_TAG = re.compile(r"([0-9a-f]{32})(?:-([0-9]+))?")

_USUAL_PARTS = tuple(2**20 * size for size in (5, 8, 15, 16, 32, 50, 64, 100, 128, 256, 512, 1024))
"""Part sizes of the common clients of S3, for servers that do not tell."""


def matches(path: Path, remote: Remote) -> bool | None:
    """Compare a file's content with the server's checksum.

    `None` if the server offers nothing to compare with: no checksum at all, or one
    over parts of unknown size.

    An entity tag of S3 is the MD5 of the content or, for uploads in parts, the MD5 of the parts'
    MD5 digests, a hyphen and the number of parts (Amazon S3 User Guide, checking object integrity).
    """
    if path.stat().st_size != remote.size:
        return False
    if remote.sha256 is not None:
        return sha256_of(path) == remote.sha256
    tag = _TAG.fullmatch(remote.etag)
    if not remote.etag_is_digest or tag is None:
        return None
    if tag[2] is None:
        with path.open("rb") as file:
            return _md5(file, remote.size).hex() == tag[1]
    n_parts, told = int(tag[2]), remote.part_size
    sizes = [
        size
        for size in ((told,) if told else _USUAL_PARTS)
        if (n_parts - 1) * size < remote.size <= n_parts * size
    ]
    if any(_md5_of_parts(path, n_parts, size) == tag[1] for size in sizes):
        return True
    # A guessed size proves nothing; a stated one that fits does.
    return False if told and sizes else None


def _md5_of_parts(path: Path, n_parts: int, size: int) -> str:
    with path.open("rb") as file:
        digests = b"".join(_md5(file, size) for _ in range(n_parts))
    return hashlib.md5(digests, usedforsecurity=False).hexdigest()


def _md5(file: IO[bytes], n_bytes: int) -> bytes:
    """Digest the next bytes of a file; parts may be larger than memory."""
    digest = hashlib.md5(usedforsecurity=False)
    while n_bytes and (chunk := file.read(min(CHUNK, n_bytes))):
        digest.update(chunk)
        n_bytes -= len(chunk)
    return digest.digest()
