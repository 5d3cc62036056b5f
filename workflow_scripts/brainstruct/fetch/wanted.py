"""Which files of the bucket a study reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.datasets.nsd.labels import LABELS
from brainstruct.datasets.nsd.layout import HEMISPHERES, Layout
from brainstruct.datasets.nsd.sessions import RELEASED_SESSIONS, SessionFiles, Sessions
from brainstruct.errors import InputError
from brainstruct.fetch.bucket import Bucket
from brainstruct.workflow.flat_source import find_source

_SHOWN = 12


class _Listing:
    """What the bucket holds, by places on disk; a folder is listed when it is first asked about."""

    def __init__(self, layout: Layout, bucket: Bucket) -> None:
        self._layout, self._bucket = layout, bucket
        self._folders: dict[Path, dict[str, int]] = {}

    def size(self, path: Path) -> int | None:
        return self._sizes(path.parent).get(self._layout.in_bucket(path))

    def sessions(self, subject: str) -> SessionFiles:
        sizes = self._sizes(self._layout.betas_folder(subject))
        return SessionFiles.among(key.rpartition("/")[2] for key in sizes)

    def _sizes(self, folder: Path) -> dict[str, int]:
        if folder not in self._folders:
            self._folders[folder] = self._bucket.sizes(self._layout.in_bucket(folder))
        return self._folders[folder]

    def holds(self, path: Path) -> bool:
        return self.size(path) is not None

    def holds_only(self, one: Path, other: Path) -> bool:
        return self.holds(one) and not self.holds(other)


def wanted_files(study: Study, layout: Layout, bucket: Bucket) -> dict[Path, int]:
    """List what a study reads of the data set: place on disk -> bytes in the bucket.

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
    listed = _Listing(layout, bucket)
    sizes = {path: listed.size(path) for path in _chosen(study, layout, listed)}
    absent = [path for path, size in sizes.items() if size is None]
    if absent:
        shown = "".join(f"\n  {layout.in_bucket(path)}" for path in absent[:_SHOWN])
        more = f"\n  and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
        counts = ", ".join(f"{RELEASED_SESSIONS[name]} of {name}" for name in study.subjects)
        raise InputError(
            f"s3://{bucket.name}",
            f"does not hold {len(absent)} of {len(sizes)} files that this study reads:"
            f"{shown}{more}\n",
            "Check data.space, data.betas, data.format, data.sessions, data.mask and data.rois, "
            f"and fetch.bucket (sessions in the data set: {counts})",
        )
    return {path: size for path, size in sizes.items() if size is not None}


def _chosen(study: Study, layout: Layout, listed: _Listing) -> Iterator[Path]:
    yield layout.expdesign_file
    yield layout.stim_info_file
    if any(not model.reads_captions for model in study.models):
        yield layout.stimuli_file
    for subject in study.subjects:
        sessions = _sessions(study, layout, subject, listed)
        for session in sessions.numbers:
            yield layout.betas_file(subject, session, sessions.format)
        yield layout.ncsnr_file(subject)
        for family in (study.data.mask, *study.data.rois):
            yield layout.roi_file(subject, family)
            tables = layout.label_tables(subject, family)
            there = list(filter(listed.holds, tables))
            # Without a table the built-in names are used; where there are none it is needed.
            yield from there[:1] or (() if family in LABELS else tables[:1])
        if find_source(study.flatmaps, layout, subject).source != "store":
            yield from _flat(study, layout, subject, listed)


def _flat(study: Study, layout: Layout, subject: str, listed: _Listing) -> Iterator[Path]:
    """Yield what the subject's flatmaps are made of, if no filestore has the subject.

    The subject's own surfaces come only with both flat patches; without, the
    maps are drawn on fsaverage, as `find_source` chooses once files are there.
    """
    patch = study.flatmaps.patch
    patches = [layout.patch_file(subject, side, patch) for side in HEMISPHERES]
    own = study.flatmaps.source != "fsaverage" and all(map(listed.holds, patches))
    for path in layout.surface_files(subject, patch) if own else ():
        other = path.with_name(path.name.replace(".white", ".smoothwm"))
        yield other if listed.holds_only(other, path) else path
    for side in HEMISPHERES:
        yield from layout.depth_files(subject, side)
        if not own:
            yield layout.fsaverage_file(subject, side)


def _sessions(study: Study, layout: Layout, subject: str, listed: _Listing) -> Sessions:
    held = listed.sessions(subject)
    fmt = study.data.format
    if fmt == "auto" and (on_disk := layout.sessions_on_disk(subject)):
        fmt = on_disk.meant(subject, "auto", None).format
    elif fmt == "auto":
        first = [form for form, numbers in held.numbers.items() if 1 in numbers]
        fmt = first[0] if first else "hdf5"
    return held.meant(subject, fmt, study.data.sessions_of(subject))
