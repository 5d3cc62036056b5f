"""What a checkpoint on disk was when it was fetched, and whether it still is.

A manifest has the SHA-256 of every file, and is an input of the jobs that load
the weights. Sizes and times of the files are kept apart from it (stamps): they
may change where contents do not, and then nothing need be computed again: the job
that reads such files leaves their new stamps, with their SHA-256, to the next.
"""

import hashlib
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainstruct.errors import InputError
from brainstruct.models.files import SMALL_FILES, WEIGHT_FORMATS, fetch_cure
from brainstruct.store.faults import reading
from brainstruct.store.files import read_json, write_json
from brainstruct.store.fingerprint import sha256_of

log = logging.getLogger(__name__)

_AGAIN = (
    "run snakemake --until fetch_checkpoint -R fetch_checkpoint, which fetches what differs "
    "from the hub, or takes a folder of your own as it is now"
)


@dataclass(frozen=True)
class Manifest:
    """A checkpoint that is complete on disk."""

    folder: str
    source: str  # repository it came from, or the folder itself
    revision: str  # commit of the repository; of a folder, ``local``
    files: dict[str, str]  # relative path -> SHA-256 of the content
    digest: str  # one hash over `files`: the identity of the checkpoint
    # Relative path -> bytes, and time of the last change in ns; no part of the identity.
    stamps: dict[str, list[int]] = field(default_factory=dict, compare=False)


def describe_checkpoint(folder: Path, names: Sequence[str], source: str, revision: str) -> Manifest:
    """Describe files of a checkpoint; an `InputError` without configuration or weights."""
    if "config.json" not in names or not any(name.endswith(WEIGHT_FORMATS) for name in names):
        absent = "config.json" if "config.json" not in names else "weights (*.safetensors, *.bin)"
        raise InputError(folder, f"lacks {absent}", "Copy the checkpoint's folder completely")
    # First: a file that is changed while it is read must not pass for what was read.
    stamps = {name: _stamp(folder / name) for name in names}
    files = {name: sha256_of(folder / name) for name in names}
    digest = hashlib.sha256(
        "".join(f"{name} {content}\n" for name, content in files.items()).encode()
    ).hexdigest()
    return Manifest(str(folder), source, revision, files, digest, stamps)


def files_in(folder: Path) -> list[str]:
    """Return the relative paths of all files in a folder, sorted; hidden ones are left out."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def read_manifest(path: Path) -> Manifest:
    """Read a manifest, without stamps; an `InputError` if it is missing or damaged."""
    cure = "Delete it, and run the workflow again"
    content = read_json(path, cure, what="manifest of a checkpoint")
    with reading(path, "manifest of a checkpoint", cure):
        known = {name: content[name] for name in ("folder", "source", "revision", "digest")}
        files = dict(content["files"])
    return Manifest(**known, files=files)


def require_unchanged(manifest: Manifest, stamps: Path) -> Path:
    """Refuse a checkpoint that is not what its manifest says; return its folder.

    A file whose size and time are those of its stamp in the file `stamps`, or of what a job left
    beside that, is taken for unchanged; any other, or one without a stamp, is read and compared by
    its SHA-256. An `InputError` if a file is missing or has another content, or there is one that
    would be loaded and that the manifest does not list.
    """
    folder = Path(manifest.folder)
    if not folder.is_dir():
        raise InputError(folder, "there is no such checkpoint folder", fetch_cure(folder))
    left = stamps.with_suffix(".seen.json")  # the stamps themselves are another rule's output
    recorded, seen = _read_stamps(stamps), _read_stamps(left)
    found: dict[str, list[Any]] = {}
    any_read = False
    for name, checksum in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise InputError(
                path,
                "is missing; it was there when the weights were fetched",
                f"Put it back, or {_AGAIN}",
            )
        stamp, now = recorded.get(name), _stamp(path)
        found[name] = [*now, checksum]
        if now == stamp or found[name] == seen.get(name):
            continue
        if not stamp or stamp[:1] == now[:1]:
            log.info("%s: time of change is not the recorded one; its content is checked", path)
            any_read = True
            if sha256_of(path) == checksum:
                continue
        raise InputError(
            path,
            "has changed since the weights were fetched; states would be recorded as those of "
            f"{manifest.source} ({manifest.revision[:12]})",
            f"Put the old file back, or {_AGAIN}",
        )
    for name in files_in(folder):
        if name not in manifest.files and name.endswith((*WEIGHT_FORMATS, *SMALL_FILES)):
            raise InputError(
                folder / name,
                "was not there when the weights were fetched, and might be loaded in their place",
                f"Remove it, or {_AGAIN}",
            )
    if any_read:
        try:
            write_json(found, left)
        except InputError as error:  # the weights are sound: only the next job reads them again
            log.warning("%s", error)
    return folder


def _read_stamps(path: Path) -> dict[str, list[Any]]:
    """Read what is known of files, name by name; nothing if it is not there, or damaged."""
    with suppress(InputError):
        told = read_json(path, cure="")
        return {name: stamp for name, stamp in told.items() if isinstance(stamp, list)}
    return {}


def _stamp(path: Path) -> list[int]:
    """Return size and time of a file, as JSON keeps them."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
