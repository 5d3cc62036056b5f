"""Checkpoints on disk: downloaded at a pinned revision, or found in a folder, then checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile

from brainstruct.errors import InputError

SMALL_FILES = (".json", ".txt", ".model", ".jinja")
"""Configuration, tokenizers, processors."""

CHUNK = 1 << 22


@dataclass(frozen=True)
class Manifest:
    """A checkpoint that is complete on disk.

    Attributes
    ----------
    folder : str
        Where it lies.
    source : str
        Repository it came from, or the folder itself.
    revision : str
        Commit of the repository; for a folder, ``local``.
    files : dict
        Relative path -> SHA-256 of the content.
    digest : str
        One hash over `files`: the identity of the checkpoint.
    """

    folder: str
    source: str
    revision: str
    files: dict[str, str]
    digest: str


def checkpoint_in_folder(
    folder: Path, source: str | None = None, revision: str = "local"
) -> Manifest:
    """Describe a checkpoint that is on disk.

    Raises
    ------
    InputError
        If the folder is missing, or holds no configuration or no weights.
    """
    if not folder.is_dir():
        raise InputError(folder, "is not a folder", "Set checkpoints.NAME.path to the checkpoint")
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    names = [path.relative_to(folder).as_posix() for path in paths]
    weights = [name for name in names if name.endswith((".safetensors", ".bin"))]
    if "config.json" not in names or not weights:
        absent = "config.json" if "config.json" not in names else "weights (*.safetensors, *.bin)"
        raise InputError(folder, f"lacks {absent}", "Copy the checkpoint's folder completely")
    files = dict(zip(names, map(_sha256, paths), strict=True))
    digest = hashlib.sha256(
        "".join(f"{name} {content}\n" for name, content in files.items()).encode()
    ).hexdigest()
    return Manifest(str(folder), source or str(folder), revision, files, digest)


def fetch_from_hub(repository: str, revision: str, folder: Path) -> Manifest:
    """Download what is needed of a repository of the Hugging Face hub, and check it.

    A download that was cut off goes on where it stopped.

    Parameters
    ----------
    repository : str
        ``owner/name``.
    revision : str
        Branch, tag or commit; resolved to a commit first.
    folder : pathlib.Path
        Where the files go.

    Raises
    ------
    InputError
        If the hub cannot be reached, lacks the repository, or a file differs
        from the hub's checksum.
    """
    try:
        info = HfApi().model_info(repository, revision=revision)
        commit = str(info.sha)
        entries = [
            entry
            for entry in HfApi().list_repo_tree(repository, revision=commit, recursive=True)
            if isinstance(entry, RepoFile)
        ]
        wanted = needed_files(entry.path for entry in entries)
        snapshot_download(repository, revision=commit, local_dir=folder, allow_patterns=wanted)
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError) as error:
        raise InputError(
            repository,
            f"revision {revision} could not be downloaded ({type(error).__name__}: {error})",
            "Run this rule on a node with internet access, set HF_ENDPOINT to a mirror, or copy "
            "the files yourself and set checkpoints.NAME.path",
        ) from error
    manifest = checkpoint_in_folder(folder, repository, commit)
    for entry in entries:
        expected = entry.lfs.sha256 if entry.lfs else None
        if expected and entry.path in manifest.files and manifest.files[entry.path] != expected:
            raise InputError(
                folder / entry.path,
                f"has checksum {manifest.files[entry.path][:12]}, the hub says {expected[:12]}",
                "Delete it and fetch the checkpoint again",
            )
    return manifest


def needed_files(names: Iterable[str]) -> list[str]:
    """Choose the files a model is loaded from.

    Safetensors are preferred to ``.bin``; other frameworks' weights and
    duplicate formats are left out.

    Examples
    --------
    >>> needed_files(["config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5"])
    ['config.json', 'model.safetensors']
    """
    everything = sorted(names)
    safe = [name for name in everything if name.endswith(".safetensors")]
    weights = safe or [name for name in everything if name.endswith(".bin")]
    unused = ".bin.index.json" if safe else ".safetensors.index.json"
    small = [
        name for name in everything if name.endswith(SMALL_FILES) and not name.endswith(unused)
    ]
    return sorted([*small, *weights])


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
