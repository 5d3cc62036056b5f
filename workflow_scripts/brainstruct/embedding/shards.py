"""Finished parts of a long job, kept so that a restarted job goes on from them.

A shard is a NetCDF file and a record beside it. The record is written last and
holds the file's checksum and all that its content depends on; a shard counts
only if both agree with the file and with the job that finds it.
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from os import PathLike
from pathlib import Path

import xarray as xr

from brainstruct.errors import InputError
from brainstruct.store import arrays, files
from brainstruct.store.fingerprint import sha256_of

log = logging.getLogger(__name__)

SAMPLES, SAMPLE_BYTES = 64, 1 << 16
"""Places of a file that its identity looks at: 4 MB of 40 GB of images."""


class ShardFolder:
    """The shards of one job; `identity` is what all of them depend on, as JSON.

    The folder is no declared output, so that Snakemake leaves it alone when the job
    fails. It is created when the first shard is written.
    """

    def __init__(self, folder: Path, identity: Mapping[str, object]) -> None:
        self._folder = Path(folder)
        self._identity: dict[str, object] = json.loads(json.dumps(dict(identity)))

    def read(self, number: int, part: Mapping[str, object]) -> xr.Dataset | None:
        """Return a finished shard, or `None` if it must be computed.

        A shard that is damaged, or that another job has left, is passed over with a line in the
        log. So is one that goes meanwhile: a job whose Snakemake was killed may come to its end,
        and clean up, beside this one. `part` is what this shard alone depends on (its stimuli).
        """
        data, record_path = self._paths(number)
        if not (data.is_file() and record_path.is_file()):
            return None
        try:
            record = json.loads(record_path.read_text(encoding="utf-8"))
            found, checksum = dict(record["identity"]), record["sha256"]
            is_whole = sha256_of(data) == checksum
        except FileNotFoundError:
            log.warning("%s has gone; the shard is computed again", data)
            return None
        except (ValueError, KeyError, TypeError):
            log.warning("%s is damaged; the shard is computed again", record_path)
            return None
        expected = self._complete(part)
        if found != expected:
            fault = _difference(found, expected)
            log.warning("%s is of another run (%s); it is computed again", data, fault)
            return None
        if not is_whole:
            log.warning("%s is damaged (its checksum differs); it is computed again", data)
            return None
        try:
            return arrays.read_dataset(data)
        except InputError:
            if data.exists():
                raise
            log.warning("%s has gone; the shard is computed again", data)
            return None

    def write(self, number: int, part: Mapping[str, object], content: xr.Dataset) -> None:
        """Keep a finished shard; see `read` for the parameters."""
        data, record_path = self._paths(number)
        # An old record must not vouch for new data, not even for a moment.
        record_path.unlink(missing_ok=True)
        arrays.write_dataset(content, data)
        try:
            checksum = sha256_of(data)
        except FileNotFoundError:  # cleaned up by another run of this job, which is done
            return
        files.write_json({"identity": self._complete(part), "sha256": checksum}, record_path)

    def discard(self) -> None:
        """Delete all shards, once what they are parts of is safe.

        What killed runs left half written goes, too.
        """
        if not self._folder.is_dir():
            return
        for path in [*self._folder.glob("shard-*"), *self._folder.glob(".shard-*")]:
            path.unlink(missing_ok=True)
        # Not empty, or gone: another run of this job is at work, or was faster.
        with suppress(OSError):
            self._folder.rmdir()

    def _paths(self, number: int) -> tuple[Path, Path]:
        stem = f"shard-{number:05d}"
        return self._folder / f"{stem}.nc", self._folder / f"{stem}.json"

    def _complete(self, part: Mapping[str, object]) -> dict[str, object]:
        return {**self._identity, **json.loads(json.dumps(dict(part)))}


def files_identity(paths: Iterable[str | PathLike[str]]) -> list[dict[str, object]]:
    """Return what tells the files that shards were computed from from others, as JSON.

    They may be large: of each, `SAMPLES` places are read. For each it is the name
    without the folder (data may be moved), the size in bytes, when it was last
    changed, and a digest of the places.
    """
    found: list[dict[str, object]] = []
    for path in map(Path, paths):
        digest = hashlib.sha256()
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            for sample in range(SAMPLES):
                file.seek(sample * max(state.st_size - SAMPLE_BYTES, 0) // (SAMPLES - 1))
                digest.update(file.read(SAMPLE_BYTES))
        found.append(
            {
                "name": path.name,
                "size": state.st_size,
                "changed_ns": state.st_mtime_ns,
                "sampled_sha256": digest.hexdigest(),
            }
        )
    return found


def _difference(found: Mapping[str, object], expected: Mapping[str, object]) -> str:
    """Say which entries of two identities differ."""
    names = sorted(
        name
        for name in {*found, *expected}
        if name not in found or name not in expected or found[name] != expected[name]
    )
    return ", ".join(f"{name}: {found.get(name)!r}, not {expected.get(name)!r}" for name in names)
