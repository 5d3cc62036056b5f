"""A local S3 server that holds a small data set, as its clients see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from brainstruct.config.fetch import Fetch
from brainstruct.config.files import read_config
from brainstruct.config.loading import load_study
from brainstruct.config.study import Study
from brainstruct.fetch.bucket import Bucket

NAME = "natural-scenes-dataset"
IN_PARTS = "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5"
PART = 100_000


@dataclass
class Served:
    """What the server holds, and how to reach it."""

    endpoint: str
    client: Any
    original: Path
    captions: str
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    def study(self, root: Path, **changes: Any) -> Study:
        """A study that reads a part of the data set into `root`."""
        return load_study(self.config(root, **changes))

    def config(self, root: Path, **changes: Any) -> dict[str, Any]:
        """Settings of a study of one subject, over the paper's."""
        config = read_config()
        config["subjects"] = ["subj01"]
        config["data"] |= {"nsd_root": str(root), "rois": ["floc-faces"]}
        config["flatmaps"] |= {"store": None}
        config["fetch"] = {
            "nsd_terms_accepted": True,
            "endpoint": self.endpoint,
            "captions": self.captions,
            "connections": 3,
        }
        for key, value in changes.items():
            config[key] = {**config[key], **value} if isinstance(value, dict) else value
        return config

    def bucket(self, fetch: Fetch) -> Bucket:
        """The bucket as the user's process sees it; notes what is asked of it."""
        bucket = Bucket(fetch)

        def note(request: Any, **_: Any) -> None:
            key = request.url.partition(f"/{NAME}/")[2].partition("?")[0]
            self.requests.append((request.method, key, _text(request.headers.get("Range", ""))))

        bucket._client.meta.events.register("before-send.s3", note)
        return bucket

    @property
    def downloads(self) -> list[tuple[str, str]]:
        """(key, range) of every object whose content was asked for."""
        return [(key, span) for method, key, span in self.requests if method == "GET" and key]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def upload(client: Any, path: Path, key: str, **options: Any) -> None:
    """Put a file into the bucket; the images in parts, as large files are."""
    place = {"Bucket": NAME, "Key": key}
    public = {"ACL": "public-read"}
    if key != IN_PARTS:
        client.put_object(**place, **public, Body=path.read_bytes(), **options)
        return
    content = path.read_bytes()
    place["UploadId"] = client.create_multipart_upload(**place, **public)["UploadId"]
    starts = range(0, len(content), PART)
    parts = [
        {
            "PartNumber": number,
            "ETag": client.upload_part(
                **place, PartNumber=number, Body=content[start : start + PART]
            )["ETag"],
        }
        for number, start in enumerate(starts, start=1)
    ]
    client.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
