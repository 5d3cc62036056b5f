"""One file from a server to its place, through kills and broken connections."""

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from brainstruct.errors import InputError
from brainstruct.fetch.digest import matches
from brainstruct.fetch.remote import Remote
from brainstruct.store.faults import trouble_of

ATTEMPTS = 6
"""Connections in a row that may bring nothing before a download is given up."""

_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK})
"""How file systems without locks answer; then the checksum alone guards."""


def fetch_file(remote: Remote, path: Path, arrived: Callable[[int], None]) -> bool:
    """Download a file, or the rest of it, check it, and move it to its place.

    What has come is kept beside the final name, in a hidden file whose name holds the version of
    the content, so the rest of one version is never appended to the beginning of another.

    `arrived` is told the number of bytes whenever some have come; what it raises ends the download,
    and what has come is kept. Returns whether the content was compared with a checksum of the
    server, which not every server offers. An `InputError` if the connection breaks again and again,
    the content is not what the server says, or the disk is full or read-only.
    """
    part = _part(path, remote)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for other in path.parent.glob(f".{path.name}.*.part"):
            if other != part:
                other.unlink()
        with part.open("ab") as file:
            _lock(file, part)
            _complete(remote, file, arrived)
        same = matches(part, remote)
        if same is False:
            part.unlink()
            raise InputError(
                path,
                f"came with another content than {remote.address} has by its checksum "
                f"({remote.sha256 or remote.etag}); it was thrown away",
                "Start the download again; if this repeats, something between here and there "
                "(a proxy, the disk) alters data",
            )
        part.replace(path)
    except OSError as error:
        fault, cure = trouble_of(error) or (f"({error.strerror or error})", "Mend this")
        raise InputError(
            path, f"cannot be written: {fault}", f"{cure}; then start again"
        ) from error
    return bool(same)


def bytes_begun(path: Path, remote: Remote) -> int:
    """Return how much of a file an earlier start has left."""
    part = _part(path, remote)
    return part.stat().st_size if part.is_file() else 0


def _part(path: Path, remote: Remote) -> Path:
    version = f"{remote.address} {remote.etag} {remote.size}"
    return path.with_name(f".{path.name}.{hashlib.sha256(version.encode()).hexdigest()[:12]}.part")


def _lock(file: IO[bytes], part: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(
            part, "is being written by another download", "Wait for it, or end it"
        ) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _complete(remote: Remote, file: IO[bytes], arrived: Callable[[int], None]) -> None:
    """Append what is missing."""
    at = file.seek(0, os.SEEK_END)
    if at > remote.size:
        file.truncate(0)
        at = 0
    failures = 0
    while at < remote.size:
        start = at
        try:
            for chunk in remote.read(at):
                file.write(chunk)
                at += len(chunk)
                arrived(len(chunk))
            if at < remote.size:
                raise ConnectionError(f"ended after {at} of {remote.size} bytes")
        except ConnectionError as error:
            failures = 0 if at > start else failures + 1
            if failures >= ATTEMPTS:
                raise InputError(
                    remote.address,
                    f"broke off {ATTEMPTS} times without a byte ({' '.join(str(error).split())})",
                    "Start again later: what has come is kept",
                ) from error
            time.sleep(min(2.0**failures, 30.0))
    if at > remote.size:
        file.truncate(0)
        raise InputError(remote.address, f"sent {at} bytes instead of {remote.size}", "Start again")
    file.flush()
    os.fsync(file.fileno())
