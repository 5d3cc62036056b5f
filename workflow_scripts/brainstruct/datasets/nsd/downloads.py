"""Which files of the NSD's bucket a study reads, and on which terms."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from brainstruct.datasets.interface import Wanted
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.labels import volume_cure
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.sessions import RELEASED_SESSIONS, SessionFiles, Sessions
from brainstruct.errors import InputError

_TERMS = "https://cvnlab.slite.page/p/IB6BSeW_7o/Terms-and-Conditions"

_OWN_FOLDERS = frozenset({"roi", "label"})
"""Of masks, regions and tables of names, which people also make themselves under any name."""


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


@dataclass
class Files:
    """What a study reads of the data set: on disk, in the bucket, or nowhere."""

    # Place on disk -> bytes, of what is on disk or in the bucket.
    sizes: dict[Path, int] = field(default_factory=dict)
    # Those on disk that the bucket lacks, or that people also make themselves (masks, regions,
    # tables of names): nothing is asked about them, and nothing replaces them.
    own: set[Path] = field(default_factory=set)
    # Place on disk -> cure, of what is neither on disk nor in the bucket.
    absent: dict[Path, str] = field(default_factory=dict)
    # Folders of the bucket that could not be listed, and why.
    unlisted: list[str] = field(default_factory=list)

    @property
    def here(self) -> list[Path]:
        """Files that need not come."""
        return [path for path, size in self.sizes.items() if _bytes_here(path) == size]

    @property
    def missing(self) -> list[Path]:
        """Files that are to come, those of another size than the bucket's among them."""
        return [path for path, size in self.sizes.items() if _bytes_here(path) != size]

    @property
    def published(self) -> list[Path]:
        """Files that are here, and are the bucket's."""
        return [path for path in self.here if path not in self.own]


def _bytes_here(path: Path) -> int | None:
    """Return the size of a file on disk; an empty one is as good as none."""
    return (path.stat().st_size or None) if path.is_file() else None


class _Listing:
    """What is on disk and in the bucket; a folder is listed when it is first asked about."""

    def __init__(self, layout: Layout, sizes_in: Callable[[str], dict[str, int]]) -> None:
        self._layout, self._sizes_in = layout, sizes_in
        self._folders: dict[Path, dict[str, int]] = {}
        self.refused: dict[Path, str] = {}

    def is_own(self, path: Path) -> bool:
        """Whether a file on disk is not to be compared with the bucket's."""
        if _bytes_here(path) is None:
            return False
        return path.parent.name in _OWN_FOLDERS or self._in_bucket(path) is None

    def size(self, path: Path) -> int | None:
        return _bytes_here(path) if self.is_own(path) else self._in_bucket(path)

    def sessions(self, subject: str) -> SessionFiles:
        sizes = self._sizes(self._layout.betas_folder(subject))
        in_bucket = SessionFiles.among(key.rpartition("/")[2] for key in sizes).numbers
        on_disk = self._layout.sessions_on_disk(subject).numbers
        return SessionFiles({form: in_bucket[form] | on_disk[form] for form in in_bucket})

    def _in_bucket(self, path: Path) -> int | None:
        return self._sizes(path.parent).get(self._layout.in_bucket(path))

    def _sizes(self, folder: Path) -> dict[str, int]:
        if folder not in self._folders:
            try:
                self._folders[folder] = self._sizes_in(self._layout.in_bucket(folder))
            except InputError as error:
                if not self._folders:  # the server, or the bucket, is not there at all
                    raise
                self._folders[folder], self.refused[folder] = {}, str(error)
        return self._folders[folder]

    def holds(self, path: Path) -> bool:
        return self.size(path) is not None


def wanted_files(
    dataset: Nsd,
    wanted: Wanted,
    cortices: Cortices,
    sizes_in: Callable[[str], dict[str, int]],
) -> Files:
    """List what a study reads of the data set; `sizes_in` lists a folder of the bucket.

    Only folders that hold such files are listed, key -> bytes. Of a subject's sessions these are
    the configured number or, for ``all``, those in the bucket and on disk, in the format that is
    configured or, for ``auto``, in the one that is on disk already, else HDF5. Tables of label
    names come along where there are any, and the surfaces and transforms of flatmaps unless a
    filestore has them. An `InputError` if the first folder that is asked about cannot be listed.
    """
    listed, found = _Listing(dataset.layout, sizes_in), Files()
    for path in _chosen(dataset, wanted, cortices, listed):
        size = listed.size(path)
        if size is not None:
            found.sizes[path] = size
            found.own |= {path} if listed.is_own(path) else set()
        elif path.parent not in listed.refused:
            found.absent[path] = _cure(path, dataset, wanted)
    found.unlisted = list(listed.refused.values())
    return found


def _cure(path: Path, dataset: Nsd, wanted: Wanted) -> str:
    """Return what can be done about a file that is neither on disk nor in the bucket."""
    subject = next((name for name in wanted.subjects if name in path.parts), "")
    if subject and path.parent == dataset.layout.betas_folder(subject):
        released = f"{RELEASED_SESSIONS[subject]} sessions of {subject}"
        return f"Check data.space, data.betas, data.format and data.sessions ({released} exist)"
    if subject and path.parent.name == "roi":
        return volume_cure(path)
    return f"Check fetch.bucket, or put it at {path}"


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
            # One on disk counts, whatever the bucket has; without any, names are built in,
            # or are numbers.
            on_disk = [path for path in tables if path.is_file()]
            yield from (on_disk or list(filter(listed.holds, tables)))[:1]
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
        yield other if listed.holds(other) and not listed.holds(path) else path
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
