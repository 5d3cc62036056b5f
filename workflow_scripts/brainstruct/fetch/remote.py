"""A file somewhere else, and what its server says about its content."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from brainstruct.errors import InputError

CHUNK = 2**20
"""Bytes that are read at a time."""


@dataclass(frozen=True)
class Remote:
    """One file on a server.

    `read` yields the content from a byte on. It raises `ConnectionError` if the
    connection breaks, so that the rest can be asked for again, and `InputError` if the
    file is gone or is no longer the one described here.
    """

    address: str  # ``s3://bucket/key`` or a URL
    size: int
    read: Callable[[int], Iterator[bytes]]
    etag: str = ""  # version of the content, without quotation marks; empty: not told
    etag_is_digest: bool = True  # made of MD5; on S3, unless encrypted with an own key
    sha256: str | None = None  # in hexadecimal digits
    part_size: int | None = None  # bytes of the parts it was uploaded in


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
