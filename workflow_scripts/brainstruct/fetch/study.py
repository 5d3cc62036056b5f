"""The download of everything that a study reads."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import timedelta
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.datasets.nsd.caption_archive import (
    archive_path,
    missing_captions,
    unpack_captions,
)
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.downloads import Cortices, require_terms, wanted_files
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.errors import InputError
from brainstruct.fetch import web
from brainstruct.fetch.bucket import Bucket
from brainstruct.fetch.digest import matches
from brainstruct.fetch.remote import Remote
from brainstruct.fetch.transfer import bytes_begun, fetch_file
from brainstruct.planning.disk import existing
from brainstruct.workflow.flat_source import find_source

log = logging.getLogger(__name__)

_SECONDS_PER_LINE = 10.0


def fetch_study(study: Study, *, dry_run: bool = False, verify: bool = False) -> None:
    """Download what is missing, largest files first, several at a time.

    A `dry_run` prints the list of files and the number of bytes. `verify` compares files
    that are already there with the server's checksums first.

    Raises
    ------
    InputError
        If the terms are not accepted, the server does not answer or lacks
        files, files that were there differ, or the disk is too small. If files
        failed, the message names each, and all others are in place.
    """
    dataset = _to_be_fetched(study)
    require_terms(dry_run or study.fetch.nsd_terms_accepted)
    layout, bucket = dataset.layout, Bucket(study.fetch)
    cortices = cortices_to_fetch(study)
    wanted = wanted_files(dataset, study.wanted, cortices, bucket.name, bucket.sizes)
    here = [path for path, n in wanted.items() if path.is_file() and path.stat().st_size == n]
    captions = missing_captions(layout) if study.wanted.captions else []
    if dry_run:
        _print_list(layout, wanted, here, captions)
        return
    if verify:
        _verify(layout, bucket, here)
    missing = [path for path in wanted if path not in here]
    with ThreadPoolExecutor(bucket.connections) as pool:
        remotes = pool.map(bucket.describe, map(layout.in_bucket, missing))
        downloads = dict(zip(missing, remotes, strict=True))
    if captions:
        archive, remote = archive_path(layout), web.describe(study.fetch.captions)
        # One that is there has come whole, and could not be unpacked.
        if not (archive.is_file() and archive.stat().st_size == remote.size):
            downloads[archive] = remote
    if not downloads:
        log.info("nothing to fetch: all %d files are there", len(wanted))
    summary, unchecked = _download(layout.nsd_root, downloads, bucket.connections)
    for path in unpack_captions(layout) if captions else []:
        log.info("unpacked %s", path)
    if downloads:
        log.info("%s", summary)
    if unchecked:
        log.warning(
            "the server offers no checksum of %d files, their sizes are right: %s",
            len(unchecked),
            ", ".join(sorted(layout.in_bucket(path) for path in unchecked)),
        )


def _to_be_fetched(study: Study) -> Nsd:
    """Return the data set, if there is something to download."""
    if study.synthetic is not None:
        raise InputError(
            "synthetic",
            "is set: this study writes its own data, there is nothing to download",
            "Run the study, or name the configuration of another one",
        )
    if not isinstance(study.dataset, Nsd):
        raise InputError(
            "data.dataset",
            f"is {study.data.dataset}: only the files of the NSD can be fetched",
            "Get the files as your data set says, or name the configuration of another study",
        )
    return study.dataset


def cortices_to_fetch(study: Study) -> Cortices:
    """Say what flatmaps are made of that no filestore has."""
    flatmaps = study.flatmaps
    subjects = [
        subject
        for subject in study.subjects
        if find_source(flatmaps, study.dataset, subject).source != "store"
    ]
    return Cortices(subjects, flatmaps.patch, own=flatmaps.source != "fsaverage")


def _print_list(
    layout: Layout, wanted: Mapping[Path, int], here: Sequence[Path], captions: Sequence[Path]
) -> None:
    """Say file by file what would be done, then the totals."""
    for path, size in wanted.items():
        print(f"{'here ' if path in here else 'fetch'} {size:>13,}  {layout.in_bucket(path)}")
    for path in captions:
        print(f"fetch {'(COCO)':>13}  {path}")
    total = sum(wanted.values())
    to_come = amount(total - sum(wanted[path] for path in here))
    more = ", and the COCO captions (an archive of 0.25 GB)" if captions else ""
    print(
        f"{len(wanted)} files, {amount(total)}; "
        f"to fetch: {len(wanted) - len(here)} files, {to_come}{more}"
    )


def _verify(layout: Layout, bucket: Bucket, here: Sequence[Path]) -> None:
    """Compare files with the server's checksums; name all that differ, and remove none."""

    def differs(path: Path) -> bool:
        return matches(path, bucket.describe(layout.in_bucket(path))) is False

    with ThreadPoolExecutor(bucket.connections) as pool:
        wrong = [path for path, wrong in zip(here, pool.map(differs, here), strict=True) if wrong]
    log.info("compared %d files with s3://%s", len(here), bucket.name)
    if wrong:
        raise InputError(
            f"{len(wrong)} files",
            f"differ from the bucket's: {', '.join(map(str, wrong))}",
            "Delete them and fetch again",
        )


class Progress:
    """Counts files and bytes, from any thread; an earlier start has left `begun` of the bytes."""

    def __init__(self, n_files: int, n_bytes: int, begun: int = 0) -> None:
        self.n_files, self.n_bytes, self.begun = n_files, n_bytes, begun
        self.files = self.bytes = 0
        self._start = time.monotonic()
        self._lock = threading.Lock()

    def count(self, *, files: int = 0, n_bytes: int = 0) -> None:
        """Count complete files, and bytes."""
        with self._lock:
            self.files += files
            self.bytes += n_bytes

    def line(self) -> str:
        """Say what has come, how fast, and when the rest will have."""
        here = self.begun + self.bytes
        rate = self.bytes / max(time.monotonic() - self._start, 1e-9)
        to_come = self.n_bytes - here
        left = timedelta(seconds=round(to_come / rate)) if rate else "unknown time"
        if to_come <= 0:
            left = timedelta(0)
        return (
            f"{self.files} of {self.n_files} files, {amount(here)} of {amount(self.n_bytes)}, "
            f"{amount(rate)}/s, {left} left"
        )


class _StoppedError(Exception):
    """The download was told to stop; what has come stays for the next start."""


def _download(
    root: Path, downloads: Mapping[Path, Remote], connections: int
) -> tuple[str, list[Path]]:
    """Download all; return how much came, and the NSD's files that had no checksum."""
    begun = sum(bytes_begun(path, remote) for path, remote in downloads.items())
    total = sum(remote.size for remote in downloads.values())
    _require_space(root, total - begun)
    if downloads:
        came = f"{amount(total)} ({amount(begun)} of it came earlier)"
        log.info("fetching %d files, %s", len(downloads), came)
    progress = Progress(len(downloads), total, begun)
    stop = threading.Event()
    unchecked: list[Path] = []
    faults: list[str] = []

    def arrived(n_bytes: int) -> None:
        progress.count(n_bytes=n_bytes)
        if stop.is_set():
            raise _StoppedError

    def fetch(path: Path) -> None:
        try:
            checked = fetch_file(downloads[path], path, arrived)
        except InputError as error:
            log.error("%s", error)
            faults.append(str(error))
            return
        progress.count(files=1)
        if not checked and path.suffix != ".zip":
            unchecked.append(path)

    with ThreadPoolExecutor(connections) as pool:
        largest_first = sorted(downloads, key=lambda path: -downloads[path].size)
        running = {pool.submit(fetch, path) for path in largest_first}
        try:
            while running:
                done, running = wait(running, _SECONDS_PER_LINE, FIRST_EXCEPTION)
                for future in done:
                    future.result()
                if running:
                    log.info("%s", progress.line())
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if faults:
        raise InputError(
            f"{len(faults)} of {len(downloads)} files",
            "could not be fetched:\n  " + "\n  ".join(faults) + "\n",
            "All others are in place; start again to fetch these",
        )
    return progress.line(), unchecked


def _require_space(root: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(existing(root)).free
    if n_bytes > free:
        raise InputError(
            root,
            f"{amount(n_bytes)} are to come, and {amount(free)} are free",
            "Set data.nsd_root to a larger disk, or study fewer subjects or sessions",
        )


def amount(n_bytes: float) -> str:
    """Write a number of bytes as people do, in powers of 1000.

    Examples
    --------
    >>> amount(999), amount(36_840_000_000)
    ('999 B', '36.8 GB')
    """
    for unit in ("B", "kB", "MB"):
        if n_bytes < 999.95:
            return f"{n_bytes:.0f} B" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"
