"""Checkpoints on disk: downloaded at a pinned revision, or found in a folder, then checked."""

import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from httpx2 import HTTPError
from huggingface_hub import HfApi, snapshot_download, try_to_load_from_cache
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.sha import git_hash

from brainstruct.errors import InputError
from brainstruct.models.files import SMALL_FILES
from brainstruct.models.manifest import Manifest, describe_checkpoint, files_in
from brainstruct.store.faults import trouble_of

_WEIGHTS = (
    (r"model\.safetensors", None),
    (r"model-\d+-of-\d+\.safetensors", "model.safetensors.index.json"),
    (r"pytorch_model\.bin", None),
    (r"pytorch_model-\d+-of-\d+\.bin", "pytorch_model.bin.index.json"),
)
"""Forms of weights that are loaded, and the index of those in shards; the best first."""


def checkpoint_in_folder(folder: Path) -> Manifest:
    """Describe a checkpoint that is on disk; an `InputError` if there is no whole one."""
    if not folder.is_dir():
        raise InputError(folder, "is not a folder", "Set checkpoints.NAME.path to the checkpoint")
    return describe_checkpoint(folder, files_in(folder), str(folder), "local")


def fetch_from_hub(
    repository: str, revision: str, folder: Path, endpoint: str | None = None
) -> Manifest:
    """Download what is needed of a repository of the Hugging Face hub, and check it.

    A connection that breaks is taken up where it broke; a download that is started again keeps the
    files that are complete. The revision is a branch, tag or commit, and is resolved to a commit
    first. What else is in the folder is removed, once the files are complete. The endpoint, of a
    mirror, is by default ``HF_ENDPOINT``, or the hub itself. An `InputError` if the hub cannot be
    reached, lacks the repository or what a checkpoint needs, or a file differs from the hub's
    checksum.
    """
    _require_no_lock(folder)
    with _asking(repository, revision, folder):
        hub = HfApi(endpoint=endpoint)
        commit = str(hub.model_info(repository, revision=revision).sha)
        tree = hub.list_repo_tree(repository, revision=commit, recursive=True)
        entries = {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}
        wanted = needed_files(entries)
        snapshot_download(
            repository, revision=commit, local_dir=folder, allow_patterns=wanted, endpoint=endpoint
        )
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise InputError(folder, f"lacks {', '.join(missing)}", "Fetch the checkpoint again")
    manifest = describe_checkpoint(folder, wanted, repository, commit)
    altered = [
        fault
        for name in wanted
        if (fault := _altered(folder / name, manifest.files[name], entries[name]))
    ]
    if altered:
        raise InputError(folder, "; ".join(altered), "Fetch the checkpoint again")
    # Of an earlier revision; a whole file would be loaded before the shards of this one.
    for name in set(files_in(folder)) - set(wanted):
        (folder / name).unlink(missing_ok=True)
    return manifest


def small_files(repository: str, revision: str, folder: Path, endpoint: str | None = None) -> Path:
    """Return a folder that holds configuration, tokenizer and processor of a repository.

    It is `folder`, where its weights will come to lie; if nothing is there yet, the cache of
    the hub's client, if that has them; else `folder`, once they are downloaded. An `InputError`
    if they are nowhere, and the hub cannot be reached, or lacks the repository.
    """
    if (folder / "config.json").is_file():
        return folder
    patterns = [f"*{ending}" for ending in SMALL_FILES]
    known = try_to_load_from_cache(repository, "config.json", revision=revision)
    if isinstance(known, str):
        return Path(known).parent
    with _asking(repository, revision, folder):
        snapshot_download(
            repository, revision=revision, local_dir=folder, allow_patterns=patterns,
            endpoint=endpoint,
        )  # fmt: skip
    return folder


@contextmanager
def _asking(repository: str, revision: str, folder: Path) -> Iterator[None]:
    """Say in one line why the hub gave nothing."""
    try:
        yield
    except (HTTPError, OSError) as error:
        # A full disk, a lock refused: the hub has answered.
        if not isinstance(error, HTTPError) and (found := trouble_of(error)):
            raise InputError(getattr(error, "filename", None) or folder, *found) from error
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise InputError(
            repository,
            f"revision {revision} could not be downloaded ({reason})",
            "Run this on a machine with internet access and without HF_HUB_OFFLINE, set "
            "HF_ENDPOINT to a mirror, or copy the files yourself and set checkpoints.NAME.path",
        ) from error


def _require_no_lock(folder: Path) -> None:
    """Refuse a folder with a lock of another machine: its owner may be dead, and none could tell.

    Where a file system has no locks, the hub's client makes files of them, which say whose
    they are (process, machine), and waits for them without end and without a word.
    """
    for lock in sorted((folder / ".cache" / "huggingface").rglob("*.lock")):
        owner = lock.read_text(encoding="utf-8", errors="replace").split()
        if len(owner) > 1 and owner[1] != socket.gethostname():
            raise InputError(
                lock,
                f"is a lock of process {owner[0]} on {owner[1]}",
                "Wait if a download runs there; if none does, delete this file, and start again",
            )


def needed_files(names: Iterable[str]) -> list[str]:
    """Choose the files a model is loaded from.

    Safetensors are preferred to ``.bin`` and a whole file to shards; other
    frameworks' weights, variants and leftovers of training are left out.

    Examples
    --------
    >>> needed_files(["config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5"])
    ['config.json', 'model.safetensors']
    """
    everything = sorted(names)
    weights: list[str] = []
    own_index = None
    for form, index in _WEIGHTS:
        weights = [name for name in everything if re.fullmatch(form, name)]
        own_index = index
        if weights:
            break
    small = [
        name
        for name in everything
        if name.endswith(SMALL_FILES) and (not name.endswith(".index.json") or name == own_index)
    ]
    return sorted([*small, *weights])


def _altered(path: Path, found: str, entry: RepoFile) -> str | None:
    """Remove a file that is not what the hub has, and say so.

    Large files are known by their SHA-256 (`found`), small ones by git's checksum.
    """
    if entry.lfs is not None:
        expected = entry.lfs.sha256
    else:
        found, expected = git_hash(path.read_bytes()), entry.blob_id
    if found == expected:
        return None
    path.unlink()
    return f"{path.name}: has checksum {found[:12]}, the hub says {expected[:12]}; it was removed"
