"""The download of everything that a study reads."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.errors import InputError
from brainstruct.fetch.bucket import Bucket
from brainstruct.fetch.captions import archive_path, missing_captions, unpack_captions
from brainstruct.fetch.digest import matches
from brainstruct.fetch.progress import Progress, amount
from brainstruct.fetch.remote import Remote, Source
from brainstruct.fetch.transfer import bytes_begun, fetch_file
from brainstruct.fetch.wanted import Wanted, wanted_files
from brainstruct.fetch.web import Web
from brainstruct.nsd.layout import Layout

log = logging.getLogger(__name__)

TERMS = "https://cvnlab.slite.page/p/IB6BSeW_7o/Terms-and-Conditions"

SECONDS_PER_LINE = 10.0


@dataclass(frozen=True)
class Download:
    """A file that is to come."""

    source: Source
    name: str
    remote: Remote
    path: Path


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
            f"Read {TERMS} and accept as naturalscenesdataset.org asks; then say "
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
    return Plan(
        wanted_files(study, layout, bucket), missing_captions(layout) if reads_captions else []
    )


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
    if not downloads:
        log.info("nothing to fetch: all %d files are there", len(plan.wanted))
        _unpack(layout, plan)
        return
    begun = sum(bytes_begun(item.path, item.remote) for item in downloads)
    total = sum(item.remote.size for item in downloads)
    _require_space(layout.nsd_root, total - begun)
    progress = Progress(len(downloads), total, begun)
    log.info(
        "fetching %d files, %s (%s of it came earlier)",
        len(downloads),
        amount(total),
        amount(begun),
    )
    unchecked = _run(downloads, progress, study.fetch.connections)
    _unpack(layout, plan)
    log.info("%s", progress.line())
    if unchecked:
        log.warning(
            "the server offers no checksum of %d files, their sizes are right: %s",
            len(unchecked),
            ", ".join(sorted(unchecked)),
        )


def _unpack(layout: Layout, plan: Plan) -> None:
    if plan.captions:
        for path in unpack_captions(layout):
            log.info("unpacked %s", path)


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


def _describe(study: Study, layout: Layout, bucket: Bucket, plan: Plan) -> list[Download]:
    """Ask for the checksums of all missing files."""
    with ThreadPoolExecutor(study.fetch.connections) as pool:
        missing = plan.missing
        remotes = pool.map(bucket.describe, [file.key for file in missing])
        downloads = [
            Download(bucket, file.key, remote, file.path)
            for file, remote in zip(missing, remotes, strict=True)
        ]
    if plan.captions:
        web = Web()
        address = study.fetch.captions
        archive, remote = archive_path(layout), web.describe(address)
        # One that is there has come whole, and could not be unpacked.
        if not (archive.is_file() and archive.stat().st_size == remote.size):
            downloads.append(Download(web, address, remote, archive))
    return sorted(downloads, key=lambda item: -item.remote.size)


def _run(downloads: Sequence[Download], progress: Progress, connections: int) -> list[str]:
    """Download all; return the names of those without a checksum to compare with."""
    stop = threading.Event()
    unchecked: list[str] = []
    faults: list[str] = []

    def fetch(item: Download) -> bool:
        same = fetch_file(
            item.source, item.name, item.remote, item.path, arrived=progress.arrived, stop=stop
        )
        progress.finished()
        return same

    with ThreadPoolExecutor(connections) as pool:
        waiting: dict[Future[bool], Download] = {
            pool.submit(fetch, item): item for item in downloads
        }
        said = time.monotonic()
        try:
            while waiting:
                done, _ = wait(waiting, SECONDS_PER_LINE, FIRST_COMPLETED)
                for future in done:
                    item = waiting.pop(future)
                    try:
                        if not future.result() and item.path.suffix != ".zip":
                            unchecked.append(item.name)
                    except InputError as error:
                        log.error("%s", error)
                        faults.append(str(error))
                if time.monotonic() - said >= SECONDS_PER_LINE:
                    log.info("%s", progress.line())
                    said = time.monotonic()
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
    folder = root
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise InputError(
            root,
            f"{amount(n_bytes)} are to come, and {amount(free)} are free",
            "Set data.nsd_root to a larger disk, or study fewer subjects or sessions",
        )
