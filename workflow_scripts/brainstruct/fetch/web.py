"""A file on a web server."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator

from brainstruct.errors import InputError
from brainstruct.fetch.remote import CHUNK, Remote, changed, unreachable

TIMEOUT = 60.0
"""Seconds without a byte after which a connection counts as broken."""


class Web:
    """Files by their URLs. Proxies are taken from the environment, as by curl."""

    def describe(self, name: str) -> Remote:
        """Ask for the size of a file.

        Raises
        ------
        InputError
            If the URL is none, there is no such file, or the server does not answer.
        """
        try:
            request = urllib.request.Request(name, method="HEAD")
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                size, etag = answer.headers["Content-Length"], answer.headers.get("ETag", "")
                server = answer.headers.get("Server", "")
        except urllib.error.HTTPError as error:
            raise InputError(
                name, f"is refused (HTTP {error.code} {error.reason})", "Check the address"
            ) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise unreachable(name, error) from error
        if size is None:
            raise InputError(name, "has no stated size", "Name another address")
        # Only S3 is known to make its tags of MD5 digests; others may look alike.
        return Remote(name, int(size), etag.strip('"'), etag_is_digest=server == "AmazonS3")

    def read(self, remote: Remote, name: str, start: int) -> Iterator[bytes]:
        """Yield the content from a byte on; see `Source.read`."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        if remote.etag and not remote.etag.startswith("W/"):  # weak tags never match (RFC 9110)
            headers["If-Match"] = f'"{remote.etag}"'
        request = urllib.request.Request(name, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                if start and answer.status != http.client.PARTIAL_CONTENT:
                    raise InputError(
                        name, "is sent from its first byte only", "Delete the begun download"
                    )
                while chunk := answer.read(CHUNK):
                    yield chunk
        except urllib.error.HTTPError as error:
            if error.code >= 500:
                raise ConnectionError(f"HTTP {error.code} {error.reason}") from error
            if error.code in (412, 416):
                raise changed(name) from error
            raise InputError(name, f"is refused (HTTP {error.code})", "Check it") from error
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionError(str(error)) from error
