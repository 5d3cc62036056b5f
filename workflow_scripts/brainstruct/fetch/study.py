"""The download of everything that a study reads."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.errors import InputError
from brainstruct.fetch import web
from brainstruct.fetch.bucket import Bucket
from brainstruct.fetch.captions import archive_path, missing_captions, unpack_captions
from brainstruct.fetch.digest import matches
from brainstruct.fetch.progress import Progress, amount
from brainstruct.fetch.remote import Remote
from brainstruct.fetch.transfer import bytes_begun, fetch_file
from brainstruct.fetch.wanted import Wanted, wanted_files
from brainstruct.nsd.layout import Layout
from brainstruct.planning.disk import existing

log = logging.getLogger(__name__)

_TERMS = "https://cvnlab.slite.page/p/IB6BSeW_7o/Terms-and-Conditions"

_SECONDS_PER_LINE = 10.0


@dataclass(frozen=True)
class Plan:
    """What a study reads, and what of it is to come.

    Attributes
    ----------
    wanted : list of Wanted
        All files of the data set that the study reads.
    captions : list of pathlib.Path
        Files of COCO captions that are missing.
    """

    wanted: list[Wanted]
    captions: list[Path]

    @property
    def missing(self) -> list[Wanted]:
        """Files that are not on disk, or are there with another size."""
        return [file for file in self.wanted if not file.here]

    def lines(self) -> list[str]:
        """Say file by file what would be done, then the totals."""
        rows = [
            f"{'here ' if file.here else 'fetch'} {file.size:>13,}  {file.key}"
            for file in self.wanted
        ]
        rows += [f"fetch {'(COCO)':>13}  {path}" for path in self.captions]
        missing = self.missing
        return [
            *rows,
            f"{len(self.wanted)} files, {amount(sum(file.size for file in self.wanted))}; "
            f"to fetch: {len(missing)} files, {amount(sum(file.size for file in missing))}"
            + (", and the COCO captions (an archive of 0.25 GB)" if self.captions else ""),
        ]


def require_terms(study: Study) -> None:
    """Refuse to download before the user has accepted the data set's agreement.

    Raises
    ------
    InputError
        If ``fetch.nsd_terms_accepted`` is not set.
    """
    if not study.fetch.nsd_terms_accepted:
        raise InputError(
            "fetch.nsd_terms_accepted",
            "is not set: the NSD may be downloaded by people who have accepted its data sharing "
            "and usage agreement (for research and education only; not to be passed on)",
            f"Read {_TERMS} and accept as naturalscenesdataset.org asks; then say "
            "--i-accept-the-nsd-terms, or set the key to true in a file of your own",
        )


def plan_download(study: Study, layout: Layout, bucket: Bucket) -> Plan:
    """Compare what a study reads with what is on disk; only lists are fetched.

    Raises
    ------
    InputError
        If the study writes its own data, the server does not answer, or it
        lacks files that the study reads.
    """
    if study.synthetic is not None:
        raise InputError(
            "synthetic",
            "is set: this study writes its own data, there is nothing to download",
            "Run the study, or name the configuration of another one",
        )
    reads_captions = any(model.reads_captions for model in study.models)
    captions = missing_captions(layout) if reads_captions else []
    return Plan(wanted_files(study, layout, bucket), captions)


def fetch_study(study: Study, layout: Layout, bucket: Bucket, plan: Plan) -> None:
    """Download what is missing, largest files first, several at a time.

    Raises
    ------
    InputError
        If the terms are not accepted, the disk is too small, or files failed:
        the message names each of them, and all others are in place.
    """
    require_terms(study)
    downloads = _describe(study, layout, bucket, plan)
    begun = sum(bytes_begun(path, remote) for remote, path in downloads)
    total = sum(remote.size for remote, _ in downloads)
    _require_space(layout.root, total - begun)
    progress = Progress(len(downloads), total, begun)
    if downloads:
        came = f"{amount(total)} ({amount(begun)} of it came earlier)"
        log.info("fetching %d files, %s", len(downloads), came)
    else:
        log.info("nothing to fetch: all %d files are there", len(plan.wanted))
    unchecked = _download(downloads, progress, study.fetch.connections)
    for path in unpack_captions(layout) if plan.captions else []:
        log.info("unpacked %s", path)
    if downloads:
        log.info("%s", progress.line())
    if unchecked:
        log.warning(
            "the server offers no checksum of %d files, their sizes are right: %s",
            len(unchecked),
            ", ".join(sorted(layout.in_bucket(path) for path in unchecked)),
        )


def verify_study(bucket: Bucket, plan: Plan, connections: int) -> None:
    """Compare the content of all files that are on disk with the server's checksums.

    Raises
    ------
    InputError
        Naming every file that differs. None is removed.
    """
    here = [file for file in plan.wanted if file.here]

    def differs(file: Wanted) -> bool:
        return matches(file.path, bucket.describe(file.key)) is False

    with ThreadPoolExecutor(connections) as pool:
        wrong = [file for file, wrong in zip(here, pool.map(differs, here), strict=True) if wrong]
    log.info("compared %d files with %s", len(here), f"s3://{bucket.name}")
    if wrong:
        raise InputError(
            f"{len(wrong)} files",
            "differ from the bucket's: " + ", ".join(str(file.path) for file in wrong),
            "Delete them and fetch again",
        )


def _describe(
    study: Study, layout: Layout, bucket: Bucket, plan: Plan
) -> list[tuple[Remote, Path]]:
    """Ask for the checksums of all missing files; return them with their places."""
    with ThreadPoolExecutor(study.fetch.connections) as pool:
        missing = plan.missing
        remotes = pool.map(bucket.describe, [file.key for file in missing])
        downloads = list(zip(remotes, [file.path for file in missing], strict=True))
    if plan.captions:
        archive, remote = archive_path(layout), web.describe(study.fetch.captions)
        # One that is there has come whole, and could not be unpacked.
        if not (archive.is_file() and archive.stat().st_size == remote.size):
            downloads.append((remote, archive))
    return sorted(downloads, key=lambda item: -item[0].size)


class _StoppedError(Exception):
    """The download was told to stop; what has come stays for the next start."""


def _download(
    downloads: Sequence[tuple[Remote, Path]], progress: Progress, connections: int
) -> list[Path]:
    """Download all; return the NSD's files that had no checksum to compare with."""
    stop = threading.Event()
    unchecked: list[Path] = []
    faults: list[str] = []

    def arrived(n_bytes: int) -> None:
        progress.count(n_bytes=n_bytes)
        if stop.is_set():
            raise _StoppedError

    def fetch(remote: Remote, path: Path) -> None:
        try:
            checked = fetch_file(remote, path, arrived)
        except InputError as error:
            log.error("%s", error)
            faults.append(str(error))
            return
        progress.count(files=1)
        if not checked and path.suffix != ".zip":
            unchecked.append(path)

    with ThreadPoolExecutor(connections) as pool:
        running = {pool.submit(fetch, *item) for item in downloads}
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
    return unchecked


def _require_space(root: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(existing(root)).free
    if n_bytes > free:
        raise InputError(
            root,
            f"{amount(n_bytes)} are to come, and {amount(free)} are free",
            "Set data.nsd_root to a larger disk, or study fewer subjects or sessions",
        )
