"""Which files of the bucket a study reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.errors import InputError
from brainstruct.fetch.bucket import Bucket
from brainstruct.nsd.labels import LABELS
from brainstruct.nsd.layout import HEMISPHERES, Layout
from brainstruct.nsd.sessions import RELEASED_SESSIONS, SessionFiles, Sessions
from brainstruct.workflow.flat_source import find_source

SHOWN = 12


@dataclass(frozen=True)
class Wanted:
    """A file of the bucket and its place on disk.

    Attributes
    ----------
    key : str
        Name in the bucket.
    path : pathlib.Path
        Place on disk.
    size : int
        Bytes.
    """

    key: str
    path: Path
    size: int

    @property
    def here(self) -> bool:
        """Whether a file of this size is in its place."""
        return self.path.is_file() and self.path.stat().st_size == self.size


def wanted_files(study: Study, layout: Layout, bucket: Bucket) -> list[Wanted]:
    """List what a study reads of the data set, with sizes.

    Only folders that hold such files are listed. Of a subject's sessions these
    are the configured number or, for ``all``, those in the bucket, in the
    format that is configured or, for ``auto``, in the one that is on disk
    already, else HDF5. Tables of label names come along where there are any,
    and the surfaces and transforms of flatmaps unless a filestore has them.

    Parameters
    ----------
    study : Study
        The configuration.
    layout : Layout
        Where the files go.
    bucket : Bucket
        Where they come from.

    Raises
    ------
    InputError
        One message that names every file which the bucket does not hold.
    """
    listed: dict[str, int] = {}
    for folder in sorted({layout.in_bucket(path.parent) for path in _candidates(study, layout)}):
        listed |= bucket.sizes(folder)
    chosen = list(dict.fromkeys(_chosen(study, layout, listed)))
    absent = [key for path in chosen if (key := layout.in_bucket(path)) not in listed]
    if absent:
        shown = "".join(f"\n  {key}" for key in absent[:SHOWN])
        more = f"\n  and {len(absent) - SHOWN} more" if len(absent) > SHOWN else ""
        raise InputError(
            f"s3://{bucket.name}",
            f"does not hold {len(absent)} of {len(chosen)} files that this study reads:"
            f"{shown}{more}\n",
            "Check data.space, data.betas, data.format, data.sessions, data.mask and data.rois, "
            f"and fetch.bucket ({_released(study.subjects)})",
        )
    keys = {path: layout.in_bucket(path) for path in chosen}
    return [Wanted(key, path, listed[key]) for path, key in keys.items()]


def _candidates(study: Study, layout: Layout) -> Iterator[Path]:
    """Yield at least one file of every folder that may be read."""
    yield from _common(study, layout)
    for subject in study.subjects:
        yield layout.ncsnr_file(subject)
        for family in (study.data.mask, *study.data.rois):
            yield layout.roi_file(subject, family)
            yield from layout.label_tables(subject, family)
        yield from layout.surface_files(subject, study.flatmaps.patch)
        yield from layout.depth_files(subject, HEMISPHERES[0])


def _chosen(study: Study, layout: Layout, listed: dict[str, int]) -> Iterator[Path]:
    yield from _common(study, layout)
    for subject in study.subjects:
        sessions = _sessions(study, layout, subject, listed)
        for session in sessions.numbers:
            yield layout.betas_file(subject, session, sessions.format)
        yield layout.ncsnr_file(subject)
        for family in (study.data.mask, *study.data.rois):
            yield layout.roi_file(subject, family)
            tables = layout.label_tables(subject, family)
            there = [path for path in tables if layout.in_bucket(path) in listed]
            # Without a table the built-in names are used; where there are none it is needed.
            yield from there[:1] or (() if family in LABELS else tables[:1])
        if find_source(study.flatmaps, layout, subject).source != "store":
            yield from _flat(study, layout, subject, listed)


def _flat(study: Study, layout: Layout, subject: str, listed: dict[str, int]) -> Iterator[Path]:
    """Yield what the subject's flatmaps are made of, if no filestore has the subject.

    The subject's own surfaces come only with both flat patches; without, the
    maps are drawn on fsaverage, as `find_source` chooses once files are there.
    """
    patch = study.flatmaps.patch
    patches = [layout.patch_file(subject, side, patch) for side in HEMISPHERES]
    own = study.flatmaps.source != "fsaverage" and all(
        layout.in_bucket(path) in listed for path in patches
    )
    for path in layout.surface_files(subject, patch) if own else ():
        other = path.with_name(path.name.replace(".white", ".smoothwm"))
        yield other if _only(listed, layout, other, path) else path
    for side in HEMISPHERES:
        yield from layout.depth_files(subject, side)
        if not own:
            yield layout.fsaverage_file(subject, side)


def _common(study: Study, layout: Layout) -> Iterator[Path]:
    yield layout.expdesign_file
    yield layout.stim_info_file
    if any(not model.reads_captions for model in study.models):
        yield layout.stimuli_file


def _only(listed: dict[str, int], layout: Layout, one: Path, other: Path) -> bool:
    return layout.in_bucket(one) in listed and layout.in_bucket(other) not in listed


def _sessions(study: Study, layout: Layout, subject: str, listed: dict[str, int]) -> Sessions:
    folder = f"{layout.in_bucket(layout.betas_folder(subject))}/"
    held = SessionFiles.among(key.removeprefix(folder) for key in listed)
    fmt = study.data.format
    if fmt == "auto" and (on_disk := layout.sessions_on_disk(subject)):
        fmt = on_disk.meant(subject, "auto", None).format
    elif fmt == "auto":
        first = [form for form, numbers in held.numbers.items() if 1 in numbers]
        fmt = first[0] if first else "hdf5"
    return held.meant(subject, fmt, study.data.sessions_of(subject))


def _released(subjects: Sequence[str]) -> str:
    counts = ", ".join(f"{RELEASED_SESSIONS[subject]} of {subject}" for subject in subjects)
    return f"sessions in the data set: {counts}"
