"""Which files of the NSD's bucket a study reads, and on which terms."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from brainstruct.datasets.interface import Wanted
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.labels import LABELS
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.sessions import RELEASED_SESSIONS, SessionFiles, Sessions
from brainstruct.errors import InputError

_TERMS = "https://cvnlab.slite.page/p/IB6BSeW_7o/Terms-and-Conditions"

_SHOWN = 12


@dataclass(frozen=True)
class Cortices:
    """What flatmaps are made of, where no filestore has a subject."""

    subjects: Collection[str]  # those whom no filestore has
    patch: str  # name of FreeSurfer's patches
    own: bool  # whether a subject's own surfaces are drawn, where both patches are there


def require_terms(accepted: bool) -> None:
    """Raise an `InputError` unless the user has accepted the terms of the data set."""
    if not accepted:
        raise InputError(
            "fetch.nsd_terms_accepted",
            "is not set: the NSD may be downloaded by people who have accepted its data sharing "
            "and usage agreement (for research and education only; not to be passed on)",
            f"Read {_TERMS} and accept as naturalscenesdataset.org asks; then say "
            "--i-accept-the-nsd-terms, or set the key to true in a file of your own",
        )


class _Listing:
    """What the bucket holds, by places on disk; a folder is listed when it is first asked about."""

    def __init__(self, layout: Layout, sizes_in: Callable[[str], dict[str, int]]) -> None:
        self._layout, self._sizes_in = layout, sizes_in
        self._folders: dict[Path, dict[str, int]] = {}

    def size(self, path: Path) -> int | None:
        return self._sizes(path.parent).get(self._layout.in_bucket(path))

    def sessions(self, subject: str) -> SessionFiles:
        sizes = self._sizes(self._layout.betas_folder(subject))
        return SessionFiles.among(key.rpartition("/")[2] for key in sizes)

    def _sizes(self, folder: Path) -> dict[str, int]:
        if folder not in self._folders:
            self._folders[folder] = self._sizes_in(self._layout.in_bucket(folder))
        return self._folders[folder]

    def holds(self, path: Path) -> bool:
        return self.size(path) is not None

    def holds_only(self, one: Path, other: Path) -> bool:
        return self.holds(one) and not self.holds(other)


def wanted_files(
    dataset: Nsd,
    wanted: Wanted,
    cortices: Cortices,
    bucket: str,
    sizes_in: Callable[[str], dict[str, int]],
) -> dict[Path, int]:
    """List what a study reads of the data set: place on disk -> bytes in the bucket.

    `bucket` is its name; `sizes_in` lists a folder of it, key -> bytes.

    Only folders that hold such files are listed. Of a subject's sessions these
    are the configured number or, for ``all``, those in the bucket, in the
    format that is configured or, for ``auto``, in the one that is on disk
    already, else HDF5. Tables of label names come along where there are any,
    and the surfaces and transforms of flatmaps unless a filestore has them.

    Raises
    ------
    InputError
        One message that names every file which the bucket does not hold.
    """
    layout = dataset.layout
    listed = _Listing(layout, sizes_in)
    sizes = {path: listed.size(path) for path in _chosen(dataset, wanted, cortices, listed)}
    absent = [path for path, size in sizes.items() if size is None]
    if absent:
        shown = "".join(f"\n  {layout.in_bucket(path)}" for path in absent[:_SHOWN])
        more = f"\n  and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
        counts = ", ".join(f"{RELEASED_SESSIONS[name]} of {name}" for name in wanted.subjects)
        raise InputError(
            f"s3://{bucket}",
            f"does not hold {len(absent)} of {len(sizes)} files that this study reads:"
            f"{shown}{more}\n",
            "Check data.space, data.betas, data.format, data.sessions, data.mask and data.rois, "
            f"and fetch.bucket (sessions in the data set: {counts})",
        )
    return {path: size for path, size in sizes.items() if size is not None}


def _chosen(dataset: Nsd, wanted: Wanted, cortices: Cortices, listed: _Listing) -> Iterator[Path]:
    layout = dataset.layout
    yield from dataset.list_files()
    if wanted.pixels:
        yield layout.stimuli_file
    for subject in wanted.subjects:
        sessions = _sessions(dataset, subject, listed)
        for session in sessions.numbers:
            yield layout.betas_file(subject, session, sessions.format)
        yield layout.ncsnr_file(subject)
        for family in (wanted.mask, *wanted.families):
            yield layout.roi_file(subject, family)
            tables = layout.label_tables(subject, family)
            there = list(filter(listed.holds, tables))
            # Without a table the built-in names are used; where there are none it is needed.
            yield from there[:1] or (() if family in LABELS else tables[:1])
        if subject in cortices.subjects:
            yield from _flat(dataset, subject, cortices, listed)


def _flat(dataset: Nsd, subject: str, cortices: Cortices, listed: _Listing) -> Iterator[Path]:
    """Yield what the subject's flatmaps are made of, if no filestore has the subject.

    The subject's own surfaces come only with both flat patches; without, the
    maps are drawn on fsaverage, as is chosen once files are there.
    """
    halves = dataset.cortex_files(subject, cortices.patch)
    own = cortices.own and all(listed.holds(half.patch) for half in halves)
    for path in [path for half in halves for path in half.surfaces] if own else ():
        other = path.with_name(path.name.replace(".white", ".smoothwm"))
        yield other if listed.holds_only(other, path) else path
    for half in halves:
        yield from half.depths
        if not own:
            yield half.average


def _sessions(dataset: Nsd, subject: str, listed: _Listing) -> Sessions:
    held = listed.sessions(subject)
    fmt = dataset.format
    if fmt == "auto" and (on_disk := dataset.layout.sessions_on_disk(subject)):
        fmt = on_disk.meant(subject, "auto", None).format
    elif fmt == "auto":
        first = [form for form, numbers in held.numbers.items() if 1 in numbers]
        fmt = first[0] if first else "hdf5"
    return held.meant(subject, fmt, dataset.sessions_of(subject))
