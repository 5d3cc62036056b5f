"""Looks at the NSD before a study: design, images, captions, each subject's volumes.

Only headers and small files are read.
"""

from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pandas as pd

from brainstruct.datasets.interface import Wanted
from brainstruct.datasets.nsd.betas import inspect_session
from brainstruct.datasets.nsd.captions import read_captions
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.design import read_expdesign, shown_images
from brainstruct.datasets.nsd.labels import volume_cure
from brainstruct.datasets.nsd.layout import COCO_SPLITS, Layout
from brainstruct.datasets.nsd.ncsnr import read_ncsnr
from brainstruct.datasets.nsd.rois import read_mask, read_roi
from brainstruct.datasets.nsd.sessions import RELEASED_SESSIONS, Sessions
from brainstruct.datasets.nsd.stimuli import StimulusReader, read_stim_info
from brainstruct.errors import Outcome
from brainstruct.store.resources import findings_beside

_said = findings_beside(__file__, "findings.toml")

FETCH = "Fetch what is missing (docs/data.md), or set data.nsd_root to where it is"

_PROBES = 16
"""Images that are read to see whether the file was ever filled."""


def examine(dataset: Nsd, wanted: Wanted, pool: Executor) -> list[Outcome]:
    """Run all checks side by side; outcomes in the order of the work."""
    layout = dataset.layout
    if not layout.nsd_root.is_dir():
        outcome = Outcome("data set", dataset.nsd_root)
        outcome.add("error", layout.nsd_root, "does not exist", FETCH)
        return [outcome]
    subjects = [pool.submit(check_subject, dataset, wanted, name) for name in wanted.subjects]
    design, images = check_design(dataset, wanted)
    stimuli = []
    if wanted.pixels:
        stimuli.append(pool.submit(check_stimuli, layout, images))
    if wanted.captions:
        stimuli.append(pool.submit(check_captions, layout, images))
    return [design, *(future.result() for future in [*stimuli, *subjects])]


def check_design(dataset: Nsd, wanted: Wanted) -> tuple[Outcome, pd.DataFrame | None]:
    """Read the experiment's design and the table of images.

    If both are sound, also return ``stimulus``, ``coco_id`` and ``coco_split`` of the
    images that the study's subjects saw, one row each.
    """
    outcome, layout = Outcome("design", "order of trials, table of images"), dataset.layout
    paths = (layout.expdesign_file, layout.stim_info_file)
    _note_missing(outcome, [path for path in paths if not path.is_file()])
    if outcome.findings:
        return outcome, None
    images = None
    with outcome.noting():
        design = read_expdesign(layout.expdesign_file)
        info = read_stim_info(layout.stim_info_file, design)
        counts = {
            subject: min(_sessions_meant(dataset, subject).count, RELEASED_SESSIONS[subject])
            for subject in wanted.subjects
        }
        images = info[info["nsd_id"].isin(shown_images(design, counts))]
        images = images.rename(columns={"nsd_id": "stimulus"})
    return outcome, images


def check_stimuli(layout: Layout, images: pd.DataFrame | None) -> Outcome:
    """Look at the header of the images' file, and at a few images."""
    outcome = Outcome("images", "73,000 RGB images of one byte per colour")
    path = layout.stimuli_file
    _note_missing(outcome, [] if path.is_file() else [path])
    if outcome.findings:
        return outcome
    with outcome.noting(), StimulusReader(path) as reader:
        rows, columns = reader.size
        if rows != columns:
            outcome.add("error", path, f"holds images of {rows} x {columns}", "Download it again")
        if images is not None:
            seen = images["stimulus"].to_numpy()
            probes = seen[np.linspace(0, len(seen) - 1, _PROBES).astype(int)]
            for nsd_id in probes:
                reader.array(int(nsd_id))
            outcome.checked += f", {len(probes)} of them read"
    return outcome


def check_captions(layout: Layout, images: pd.DataFrame | None) -> Outcome:
    """Read the captions of all images that the subjects saw."""
    outcome = Outcome("captions", "captions of every image of the study")
    paths = [layout.captions_file(split) for split in COCO_SPLITS]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        names = ", ".join(path.name for path in missing)
        outcome.add("error", missing[0].parent, *_said("captions", names=names))
        return outcome
    if images is None:
        outcome.checked = "not read: the table of images is not sound"
        return outcome
    with outcome.noting():
        read_captions(layout, images)
        outcome.checked = f"captions of {len(images)} images"
    return outcome


def check_subject(dataset: Nsd, wanted: Wanted, subject: str) -> Outcome:
    """Look at a subject's sessions, mask, regions and ncsnr."""
    outcome, layout = Outcome(subject), dataset.layout
    form = _sessions_meant(dataset, subject).format
    sessions = _check_sessions(outcome, dataset, subject)
    mask, ncsnr = layout.roi_file(subject, wanted.mask), layout.ncsnr_file(subject)
    regions = {name: layout.roi_file(subject, name) for name in wanted.families}
    for path in dict.fromkeys([mask, *regions.values()]):
        if not path.is_file():
            outcome.add("error", path, "is missing", volume_cure(path))
    _note_missing(outcome, [] if ncsnr.is_file() else [ncsnr])
    marked = shape = None
    if mask.is_file():
        with outcome.noting():
            marked = read_mask(layout, subject, wanted.mask)
            shape = marked.shape
    for family, path in regions.items():
        if path.is_file():
            with outcome.noting():
                found = read_roi(layout, subject, family, shape)
                if found.nameless:
                    cure = f"Put a table at {layout.label_tables(subject, family)[0]} to name them"
                    outcome.add("note", path, found.note, cure)
    if ncsnr.is_file():
        with outcome.noting():
            read_ncsnr(layout, subject, shape)
    empty = 0.0
    for session in sessions:
        with outcome.noting():
            file = layout.betas_file(subject, session, form)
            empty = max(empty, inspect_session(file, marked))
    if empty:
        said = _said("no_data", share=empty, mask=wanted.mask)
        outcome.add("warning", layout.betas_folder(subject), *said)
    outcome.checked = (
        f"{len(sessions)} sessions ({form}), mask {wanted.mask}, "
        f"{len(wanted.families)} ROI volumes, ncsnr"
    )
    return outcome


def _sessions_meant(dataset: Nsd, subject: str) -> Sessions:
    """Return the sessions of a subject that would be read, holes or not."""
    found = dataset.layout.sessions_on_disk(subject)
    return found.meant(subject, dataset.format, dataset.sessions_of(subject))


def _check_sessions(outcome: Outcome, dataset: Nsd, subject: str) -> list[int]:
    """Compare sessions on disk with those that are read; return the ones to look at."""
    layout = dataset.layout
    folder = layout.betas_folder(subject)
    found = layout.sessions_on_disk(subject).numbers
    released = RELEASED_SESSIONS[subject]
    meant = _sessions_meant(dataset, subject)
    count, form = meant.count, meant.format
    wanted = dataset.sessions_of(subject)
    if count > released:
        said = _said("too_many", count=count, subject=subject, released=released)
        outcome.add("error", "data.sessions", *said)
        count = released
    expected = set(Sessions(count, form).numbers)
    missing = sorted(expected - found[form])
    if not found[form]:
        others = [name for name in found if found[name]]
        hint = f", but there are files in {others[0]}" if others else ""
        cure = f"Set data.format to {others[0]}, or to auto" if others else FETCH
        outcome.add("error", folder, f"holds no session in {form}{hint}", cure)
    elif missing:
        whole = sum(number < missing[0] for number in expected)
        fewer = f", or use only the first {whole} (data.sessions)" if whole else ""
        names = ", ".join(layout.betas_file(subject, number, form).name for number in missing[:6])
        more = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
        fault = f"lacks {len(missing)} of {count} sessions: {names}{more}"
        outcome.add("error", folder, fault, FETCH + fewer)
    elif wanted is None and count < released:
        said = _said("some", count=count, released=released, subject=subject)
        outcome.add("warning", folder, *said)
    return sorted(expected & found[form])


def _note_missing(outcome: Outcome, missing: list[Path]) -> None:
    """Note missing files, those of one folder together."""
    for folder in dict.fromkeys(path.parent for path in missing):
        names = [path.name for path in missing if path.parent == folder]
        if len(names) == 1:
            outcome.add("error", folder / names[0], "is missing", FETCH)
        else:
            outcome.add("error", folder, f"lacks {', '.join(names)}", FETCH)
