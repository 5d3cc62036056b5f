"""A local S3 server that holds a small data set, and a web server with COCO's archive."""

from __future__ import annotations

import sys
import threading
import zipfile
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import boto3
import moto.settings
import pytest
from moto.server import ThreadedMotoServer

sys.path.insert(0, str(Path(__file__).parents[1] / "datasets/nsd"))

from local_bucket import NAME, QuietHandler, Served, upload
from small_study import write_study

from brainstruct.datasets.nsd.layout import COCO_SPLITS, Layout
from brainstruct.fetch import study as fetching


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small data set as it lies in the bucket."""
    layout = Layout(tmp_path_factory.mktemp("original"))
    write_study(layout)
    return layout.nsd_root


@pytest.fixture(scope="session")
def _server(original: Path, tmp_path_factory: pytest.TempPathFactory):
    moto.settings.S3_UPLOAD_PART_MIN_SIZE = 1
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client(
        "s3",
        region_name="us-east-2",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": "us-east-2"})
    for path in sorted(original.rglob("*")):
        if path.is_file() and "annotations" not in path.parts:
            upload(client, path, path.relative_to(original).as_posix())
    web = tmp_path_factory.mktemp("coco")
    with zipfile.ZipFile(web / "annotations.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for split in COCO_SPLITS:
            file = Layout(original).captions_file(split)
            archive.write(file, f"annotations/{file.name}")
        archive.writestr("annotations/instances_val2017.json", "{}")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(web))) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        yield endpoint, client, f"http://127.0.0.1:{pages.server_port}/annotations.zip"
        pages.shutdown()
    server.stop()


@pytest.fixture
def served(_server, original: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    endpoint, client, captions = _server
    served = Served(endpoint, client, original, captions)
    monkeypatch.setattr(fetching, "Bucket", served.bucket)
    return served
