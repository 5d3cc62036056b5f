from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from fake_hub import Hub, serve
from huggingface_hub import constants, snapshot_download, try_to_load_from_cache

from brainstruct.errors import InputError
from brainstruct.models import fetch
from brainstruct.models.fetch import (
    checkpoint_in_folder,
    fetch_from_hub,
    needed_files,
    small_files,
)
from brainstruct.models.files import SMALL_FILES
from brainstruct.models.manifest import require_unchanged

REPOSITORY = "owner/tiny-model"
NEEDED = {
    "config.json": b'{"model_type": "vit"}',
    "model-00001-of-00002.safetensors": bytes(range(256)) * 4000,
    "model-00002-of-00002.safetensors": b"weights" * 1000,
    "model.safetensors.index.json": b"{}",
    "qformer_tokenizer/tokenizer.json": b'{"version": "1.0"}',
    "tokenizer.model": b"pieces",
}
USELESS = {
    "README.md": b"read me",
    "flax_model.msgpack": b"flax",
    "pytorch_model.bin": b"pickled",
    "pytorch_model.bin.index.json": b"{}",
    "tf_model.h5": b"tensorflow",
    "training_args.bin": b"pickled",
}
LARGE = "model-00001-of-00002.safetensors"


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 5)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(Hub(REPOSITORY)) as served:
        served.commit("main", NEEDED | USELESS)
        yield served


def fetch_main(hub, folder, revision="main"):
    return fetch_from_hub(REPOSITORY, revision, folder, hub.address)


def visible(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".cache" not in path.parts
    }


def test_only_needed_files_come(hub, tmp_path):
    manifest = fetch_main(hub, tmp_path)
    assert visible(tmp_path) == NEEDED
    assert {path for path, _ in hub.sent} == set(NEEDED)
    assert set(manifest.files) == set(NEEDED)
    assert manifest.source == REPOSITORY
    # The folder, taken as it is, is the same checkpoint.
    assert checkpoint_in_folder(tmp_path).digest == manifest.digest


def test_a_branch_is_resolved_to_its_commit(hub, tmp_path):
    old = hub.revisions["main"]
    new = hub.commit("main", {**NEEDED, "config.json": b'{"model_type": "clip"}'})
    assert fetch_main(hub, tmp_path / "new").revision == new != old
    pinned = fetch_main(hub, tmp_path / "old", revision=old)
    assert pinned.revision == old
    assert visible(tmp_path / "old") == NEEDED


def test_what_an_older_revision_left_is_no_part_of_a_newer(hub, tmp_path):
    fetch_main(hub, tmp_path)
    whole = {"config.json": b"{}", "model.safetensors": b"all weights"}
    hub.commit("main", whole)
    assert set(fetch_main(hub, tmp_path).files) == set(whole)
    assert visible(tmp_path) == whole
    # Back again: a whole file would be loaded before these shards.
    hub.commit("main", NEEDED)
    manifest = fetch_main(hub, tmp_path)
    assert visible(tmp_path) == NEEDED
    assert require_unchanged(manifest, tmp_path / ".stamps.json") == tmp_path


def test_what_an_older_revision_left_stays_until_the_newer_is_whole(hub, tmp_path):
    fetch_main(hub, tmp_path)
    hub.commit("main", {"config.json": b"{}", "model.safetensors": b"all weights"})
    hub.corrupt.add("model.safetensors")
    with pytest.raises(InputError, match="checksum"):
        fetch_main(hub, tmp_path)
    assert set(visible(tmp_path)) == set(NEEDED)


def test_a_broken_connection_is_taken_up_where_it_broke(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100_000)
    hub.breaks[LARGE] = 700_000
    fetch_main(hub, tmp_path)
    starts = [start for path, start in hub.sent if path == LARGE]
    assert starts[0] == 0
    assert len(starts) == 2
    assert 0 < starts[1] <= 700_000
    assert visible(tmp_path) == NEEDED


def test_a_second_start_fetches_only_what_is_missing(hub, tmp_path):
    manifest = fetch_main(hub, tmp_path)
    (tmp_path / LARGE).unlink()
    hub.sent.clear()
    assert fetch_main(hub, tmp_path) == manifest
    assert hub.sent == [(LARGE, 0)]


def test_all_files_that_differ_are_removed_and_named(hub, tmp_path):
    hub.corrupt |= {LARGE, "config.json"}
    with pytest.raises(InputError) as caught:
        fetch_main(hub, tmp_path)
    for name in (LARGE, "config.json"):
        assert f"{name}: has checksum" in str(caught.value)
        assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", [LARGE, "config.json"])
def test_a_file_that_differs_from_the_hub_s_is_removed(hub, tmp_path, name):
    hub.corrupt.add(name)
    with pytest.raises(InputError, match=rf"{name}: has checksum .* the hub says .* was removed"):
        fetch_main(hub, tmp_path)
    assert not (tmp_path / name).exists()
    # The next start mends it.
    hub.corrupt.clear()
    fetch_main(hub, tmp_path)
    assert visible(tmp_path) == NEEDED


CURE = "internet access and without HF_HUB_OFFLINE, set HF_ENDPOINT to a mirror"


def test_unknown_repositories_and_revisions(hub, tmp_path):
    with pytest.raises(InputError, match=rf"^owner/other: .*RepositoryNotFoundError.*{CURE}"):
        fetch_from_hub("owner/other", "main", tmp_path, hub.address)
    with pytest.raises(InputError, match="revision v9 could not be downloaded"):
        fetch_main(hub, tmp_path, revision="v9")


def test_a_repository_without_weights(hub, tmp_path):
    hub.commit("main", {"config.json": b"{}", "tf_model.h5": b"tensorflow"})
    with pytest.raises(InputError, match=r"lacks weights"):
        fetch_main(hub, tmp_path)


def test_no_network(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(InputError, match=rf"could not be downloaded \(ConnectError.*{CURE}"):
            fetch_from_hub(REPOSITORY, "main", tmp_path, address)


def test_offline_mode(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match=rf"OfflineModeIsEnabled.*{CURE}"):
        fetch_main(hub, tmp_path)
    assert hub.sent == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.ENOLCK, errno.EACCES, errno.EDQUOT])
def test_trouble_of_the_disk_is_not_the_network_s(hub, tmp_path, monkeypatch, number):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number), str(tmp_path / "model.safetensors"))

    monkeypatch.setattr(fetch, "snapshot_download", refuse)
    with pytest.raises(InputError, match=os.strerror(number)) as refused:
        fetch_main(hub, tmp_path)
    assert refused.value.where == str(tmp_path / "model.safetensors")
    assert "internet" not in str(refused.value)


def test_a_lock_that_another_machine_left_is_named(hub, tmp_path):
    """Where a file system has no locks, files stand for them; none could tell whose is dead."""
    locks = tmp_path / ".cache" / "huggingface" / "download"
    locks.mkdir(parents=True)
    (locks / "config.json.lock").write_text(f"12\n{socket.gethostname()}\n")
    (locks / "empty.lock").touch()
    fetch_main(hub, tmp_path)
    lock = locks / "model.safetensors.lock"
    lock.write_text("4711\nnode-17\n99\n")
    with pytest.raises(InputError, match="process 4711 on node-17") as refused:
        fetch_main(hub, tmp_path)
    assert refused.value.where == str(lock)


def test_a_mirror_named_by_the_environment(hub, tmp_path):
    code = (
        "from pathlib import Path\n"
        "from brainstruct.models.fetch import fetch_from_hub\n"
        f"print(fetch_from_hub({REPOSITORY!r}, 'main', Path('there')).revision)"
    )
    settings = {
        "PYTHONPATH": str(Path(fetch.__file__).parents[2]),
        "HF_ENDPOINT": hub.address,
        "HF_HUB_OFFLINE": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, **settings},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == hub.revisions["main"]
    assert visible(tmp_path / "there") == NEEDED


@pytest.mark.parametrize(
    ("names", "needed"),
    [
        (["model.safetensors", "model-00001-of-00002.safetensors"], ["model.safetensors"]),
        (
            ["pytorch_model-1-of-2.bin", "pytorch_model.bin.index.json", "optimizer.bin"],
            ["pytorch_model-1-of-2.bin", "pytorch_model.bin.index.json"],
        ),
        (["model.fp16.safetensors", "pytorch_model.bin"], ["pytorch_model.bin"]),
        (["model.safetensors", "model.safetensors.index.json"], ["model.safetensors"]),
        (["model.safetensors", "x.index.json", "index.index.json"], ["model.safetensors"]),
        (
            ["model-1-of-1.safetensors", "old/model.safetensors.index.json"],
            ["model-1-of-1.safetensors"],
        ),
    ],
)
def test_choice_of_weights(names, needed):
    assert needed_files(names) == needed


def test_folders(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        checkpoint_in_folder(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"lacks config\.json"):
        checkpoint_in_folder(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match=r"lacks weights"):
        checkpoint_in_folder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"a")
    first = checkpoint_in_folder(tmp_path)
    assert first.revision == "local"
    (tmp_path / "model.safetensors").write_bytes(b"b")
    assert checkpoint_in_folder(tmp_path).digest != first.digest


def test_small_files_are_fetched_alone_and_once(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "main"
    assert small_files(REPOSITORY, "main", folder, hub.address) == folder
    small = {name for name in NEEDED | USELESS if name.endswith(SMALL_FILES)}
    assert set(visible(folder)) == small
    assert not any(name.endswith((".bin", ".safetensors")) for name, _ in hub.sent)
    hub.sent.clear()
    assert small_files(REPOSITORY, "main", folder, hub.address) == folder
    assert hub.sent == []
    # The rest comes to lie beside them.
    fetch_main(hub, folder)
    assert set(visible(folder)) == set(NEEDED)


def test_small_files_of_the_hub_s_own_cache_are_taken(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    cached = Path(snapshot_download(REPOSITORY, endpoint=hub.address, cache_dir=tmp_path / "cache"))
    hub.sent.clear()
    monkeypatch.setattr(
        fetch,
        "try_to_load_from_cache",
        partial(try_to_load_from_cache, cache_dir=tmp_path / "cache"),
    )
    assert small_files(REPOSITORY, "main", tmp_path / "main", hub.address) == cached
    assert hub.sent == []
    assert not (tmp_path / "main").exists()
