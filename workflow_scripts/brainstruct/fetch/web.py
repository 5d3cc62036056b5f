"""A file on a web server."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial

from brainstruct.errors import InputError
from brainstruct.fetch.remote import CHUNK, Remote, changed, unreachable

_TIMEOUT = 60.0
"""Seconds without a byte after which a connection counts as broken."""


def describe(address: str) -> Remote:
    """Ask for the size of a file; an `InputError` if there is none, or the server is silent.

    Proxies are taken from the environment, as by curl.
    """
    try:
        request = urllib.request.Request(address, method="HEAD")
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            size, etag = answer.headers["Content-Length"], answer.headers.get("ETag", "")
            server = answer.headers.get("Server", "")
    except urllib.error.HTTPError as error:
        raise InputError(
            address, f"is refused (HTTP {error.code} {error.reason})", "Check the address"
        ) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise unreachable(address, error) from error
    if size is None:
        raise InputError(address, "has no stated size", "Name another address")
    etag = etag.strip('"')
    # Only S3 is known to make its tags of MD5 digests; others may look alike.
    digest = server == "AmazonS3"
    return Remote(address, int(size), partial(_read, address, etag), etag, digest)


def _read(address: str, etag: str, start: int) -> Iterator[bytes]:
    headers = {"Range": f"bytes={start}-"} if start else {}
    if etag and not etag.startswith("W/"):  # weak tags never match (RFC 9110)
        headers["If-Match"] = f'"{etag}"'
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            if start and answer.status != http.client.PARTIAL_CONTENT:
                raise InputError(
                    address, "is sent from its first byte only", "Delete the begun download"
                )
            while chunk := answer.read(CHUNK):
                yield chunk
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            raise ConnectionError(f"HTTP {error.code} {error.reason}") from error
        if error.code in (412, 416):
            raise changed(address) from error
        raise InputError(address, f"is refused (HTTP {error.code})", "Check it") from error
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(str(error)) from error
