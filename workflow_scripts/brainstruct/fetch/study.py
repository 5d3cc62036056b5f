"""The download of everything that a study reads."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from brainstruct.config.study import Study
from brainstruct.datasets.nsd.caption_archive import (
    archive_path,
    missing_captions,
    unpack_captions,
)
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.downloads import Cortices, Files, require_terms, wanted_files
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.errors import InputError
from brainstruct.fetch import web
from brainstruct.fetch.bucket import Bucket
from brainstruct.fetch.digest import matches
from brainstruct.fetch.downloading import amount, download
from brainstruct.fetch.remote import Remote
from brainstruct.workflow.flat_source import find_source

log = logging.getLogger(__name__)

_SHOWN = 12

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def fetch_study(study: Study, *, dry_run: bool = False, verify: bool = False) -> None:
    """Download what is missing and may be had, largest files first, several at a time.

    A `dry_run` prints the list of files and the number of bytes. `verify` compares files that are
    already there with the server's checksums first. An `InputError` if the terms are not accepted,
    the server does not answer, or the disk is too small; and at the end, if files failed, are
    nowhere to be had, or were there and differ: it names each, and all others are in place.
    """
    dataset = _to_be_fetched(study)
    require_terms(dry_run or study.fetch.nsd_terms_accepted)
    layout, bucket = dataset.layout, Bucket(study.fetch)
    cortices = cortices_to_fetch(study)
    wanted = wanted_files(dataset, study.wanted, cortices, bucket.sizes)
    captions = missing_captions(layout) if study.wanted.captions else []
    faults = _not_to_be_had(wanted, layout, bucket.name)
    for fault in faults:  # before hours of downloads, too
        log.error("%s", fault)
    if dry_run:
        _print_list(layout, wanted, captions)
    else:
        if verify:
            faults += _differing(layout, bucket, wanted.published)
        faults += _fetch(layout, bucket, wanted, captions, study.fetch.captions)
    if faults:
        rest = "the others can be fetched" if dry_run else "all others are in place"
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        listed = "\n  ".join([*faults[:_SHOWN], *more])
        raise InputError(
            f"{len(faults)} faults",
            f"of {len(wanted.sizes) + bool(captions)} files; {rest}:\n  {listed}\n",
            "Mend these, and start again: what is there does not come again",
        )


def _not_to_be_had(wanted: Files, layout: Layout, bucket: str) -> list[str]:
    """Say of every file that is neither on disk nor in the bucket what can be done."""
    return [
        *wanted.unlisted,
        *(
            str(InputError(f"s3://{bucket}/{layout.in_bucket(path)}", "does not exist", cure))
            for path, cure in wanted.absent.items()
        ),
    ]


def _fetch(
    layout: Layout, bucket: Bucket, wanted: Files, captions: Sequence[Path], address: str
) -> list[str]:
    """Download what is not here, and unpack the captions; return what went wrong."""
    keys = {path: layout.in_bucket(path) for path in wanted.missing}
    downloads, faults = _described(bucket.describe, keys, bucket.connections)
    archive = archive_path(layout)
    if captions:
        described, refused = _described(web.describe, {archive: address}, 1)
        faults += refused
        # One that is there has come whole, and could not be unpacked.
        whole = archive.is_file() and archive.stat().st_size
        if described and whole != described[archive].size:
            downloads |= described
    if not downloads and not faults:
        log.info("nothing to fetch: all %d files are there", len(wanted.here))
    came = download(layout.nsd_root, downloads, bucket.connections)
    faults += came.faults.values()
    if captions and archive not in came.faults and archive.is_file():
        unpacked, refused = _attempted(unpack_captions, [layout])
        faults += refused
        for path in unpacked.get(layout, []):
            log.info("unpacked %s", path)
    if downloads:
        log.info("%s", came.summary)
    if came.unchecked:
        log.warning(
            "the server offers no checksum of %d files, their sizes are right: %s",
            len(came.unchecked),
            ", ".join(sorted(layout.in_bucket(path) for path in came.unchecked)),
        )
    return faults


def _described(
    describe: Callable[[str], Remote], addresses: Mapping[Path, str], connections: int
) -> tuple[dict[Path, Remote], list[str]]:
    """Ask servers for sizes and checksums; return the answers, and what was refused."""
    found, faults = _attempted(describe, addresses.values(), connections)
    return {path: found[name] for path, name in addresses.items() if name in found}, faults


def _attempted(
    function: Callable[[Asked], Answer], arguments: Iterable[Asked], at_once: int = 1
) -> tuple[dict[Asked, Answer], list[str]]:
    """Call a function for each argument; return the answers, and what was refused."""
    answers: dict[Asked, Answer] = {}
    faults: list[str] = []

    def attempt(argument: Asked) -> None:
        try:
            answers[argument] = function(argument)
        except InputError as error:
            log.error("%s", error)
            faults.append(str(error))

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(attempt, arguments))
    return answers, faults


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


def _print_list(layout: Layout, wanted: Files, captions: Sequence[Path]) -> None:
    """Say file by file what would be done, then the totals."""
    here = set(wanted.here)
    for path, size in wanted.sizes.items():
        print(f"{'here ' if path in here else 'fetch'} {size:>13,}  {layout.in_bucket(path)}")
    for path in captions:
        print(f"fetch {'(COCO)':>13}  {path}")
    total = sum(wanted.sizes.values())
    to_come = amount(sum(wanted.sizes[path] for path in wanted.missing))
    more = ", and the COCO captions (an archive of 0.25 GB)" if captions else ""
    print(
        f"{len(wanted.sizes)} files, {amount(total)}; "
        f"to fetch: {len(wanted.missing)} files, {to_come}{more}"
    )


def _differing(layout: Layout, bucket: Bucket, here: Sequence[Path]) -> list[str]:
    """Compare files with the bucket's checksums; name all that differ, and remove none."""

    def differs(path: Path) -> bool:
        return matches(path, bucket.describe(layout.in_bucket(path))) is False

    found, faults = _attempted(differs, here, bucket.connections)
    log.info("compared %d files with s3://%s", len(found), bucket.name)
    cure = "Delete it and fetch again, unless it is your own"
    return faults + [
        str(InputError(path, "differs from the bucket's", cure))
        for path, wrong in found.items()
        if wrong
    ]
