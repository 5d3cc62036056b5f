"""A public S3 bucket, read without an account."""

import base64
from collections.abc import Iterator
from functools import partial

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from brainstruct.config.fetch import Fetch
from brainstruct.errors import InputError
from brainstruct.fetch.remote import CHUNK, Remote, changed, unreachable

_REGION = "us-east-2"
"""Where the data set lies; S3 redirects if it moves."""

_GONE = frozenset({"404", "NoSuchKey", "NotFound"})
_CHANGED = frozenset({"412", "PreconditionFailed", "416", "InvalidRange"})


class Bucket:
    """A bucket that anybody may read."""

    def __init__(self, fetch: Fetch) -> None:
        self.name, self.connections = fetch.bucket, fetch.connections
        config = Config(
            signature_version=UNSIGNED,
            retries={"mode": "standard", "max_attempts": 5},
            connect_timeout=15,
            read_timeout=60,
            max_pool_connections=self.connections + 1,
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"} if fetch.endpoint else None,
        )
        try:
            session = boto3.session.Session()
            self._client = session.client(
                "s3", region_name=_REGION, endpoint_url=fetch.endpoint, config=config
            )
        except (BotoCoreError, ValueError) as error:
            raise unreachable(fetch.endpoint or f"s3://{self.name}", error) from error

    def sizes(self, folder: str) -> dict[str, int]:
        """List the objects directly inside a folder, key -> bytes; an `InputError` if it cannot."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=f"{folder}/", Delimiter="/"
        )
        address = self._address(folder)
        try:
            return {
                entry["Key"]: int(entry["Size"])
                for page in pages
                for entry in page.get("Contents", [])
            }
        except ClientError as error:
            raise InputError(
                address,
                f"cannot be listed ({_reason(error)})",
                "Check fetch.bucket and fetch.endpoint in the configuration",
            ) from error
        except BotoCoreError as error:
            raise unreachable(address, error) from error

    def describe(self, key: str) -> Remote:
        """Ask for size and checksums of an object; an `InputError` if it is not there."""
        place = {"Bucket": self.name, "Key": key}
        part_size = None
        try:
            head = self._client.head_object(**place, ChecksumMode="ENABLED")
            etag = head.get("ETag", "").strip('"')
            if "-" in etag:
                # Of an object uploaded in parts, the server tells how long the first is.
                part_size = int(self._client.head_object(**place, PartNumber=1)["ContentLength"])
        except ClientError as error:
            raise self._refusal(key, error) from error
        except BotoCoreError as error:
            raise unreachable(self._address(key), error) from error
        own_key = str(head.get("ServerSideEncryption", "")).startswith("aws:kms")
        return Remote(
            address=self._address(key),
            size=int(head["ContentLength"]),
            read=partial(self.read, key, etag),
            etag=etag,
            etag_is_digest=not (own_key or "SSECustomerAlgorithm" in head),
            sha256=_whole_sha256(head.get("ChecksumSHA256")),
            part_size=part_size,
        )

    def read(self, key: str, etag: str, start: int) -> Iterator[bytes]:
        """Yield an object's content from a byte on; see `Remote.read`."""
        wanted = {"Range": f"bytes={start}-"} if start else {}
        if etag:
            wanted["IfMatch"] = f'"{etag}"'
        try:
            body = self._client.get_object(Bucket=self.name, Key=key, **wanted)["Body"]
            yield from body.iter_chunks(CHUNK)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
                raise ConnectionError(_reason(error)) from error
            raise self._refusal(key, error) from error
        except BotoCoreError as error:
            raise ConnectionError(str(error)) from error

    def _address(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def _refusal(self, key: str, error: ClientError) -> InputError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _CHANGED:
            return changed(self._address(key))
        fault = "does not exist" if code in _GONE else f"is refused ({_reason(error)})"
        return InputError(
            self._address(key), fault, "Check fetch.bucket, fetch.endpoint and the data block"
        )


def _whole_sha256(encoded: str | None) -> str | None:
    """Decode a checksum; one over parts (``...-N``) is none of the content."""
    return base64.b64decode(encoded).hex() if encoded and "-" not in encoded else None


def _reason(error: ClientError) -> str:
    stated = error.response.get("Error", {})
    return f"{stated.get('Code', 'unknown')}: {stated.get('Message', '')}".rstrip(": ")
