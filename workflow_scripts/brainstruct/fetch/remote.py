"""A file somewhere else, and what its server says about its content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from brainstruct.errors import InputError

CHUNK = 2**20
"""Bytes that are read at a time."""


@dataclass(frozen=True)
class Remote:
    """One file on a server.

    Attributes
    ----------
    address : str
        ``s3://bucket/key`` or a URL.
    size : int
        Bytes.
    read : callable
        Yields the content from a byte on. Raises `ConnectionError` if the
        connection breaks, so that the rest can be asked for again, and
        `InputError` if the file is gone or is no longer the one described here.
    etag : str
        Version of the content as the server names it, without quotation marks;
        empty if it names none.
    etag_is_digest : bool
        Whether the tag is made of MD5 digests, as it is on S3 (except for
        objects that are encrypted with a key of their own).
    sha256 : str, optional
        SHA-256 of the content in hexadecimal digits, if the server offers it.
    part_size : int, optional
        Bytes of the parts it was uploaded in, if the server says so.
    """

    address: str
    size: int
    read: Callable[[int], Iterator[bytes]]
    etag: str = ""
    etag_is_digest: bool = True
    sha256: str | None = None
    part_size: int | None = None


def unreachable(address: str, reason: object) -> InputError:
    """Return the error for a server that does not answer."""
    return InputError(
        address,
        f"cannot be reached ({' '.join(str(reason).split())})",
        "Run this where there is a connection to the internet (a login node), check HTTPS_PROXY "
        "if your site has one, or set fetch.endpoint to a mirror",
    )


def changed(address: str) -> InputError:
    """Return the error for a file that was replaced during its download."""
    return InputError(address, "changed while it was downloaded", "Start the download again")
