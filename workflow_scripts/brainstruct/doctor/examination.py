"""All checks of a study, run side by side."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from brainstruct.config.study import Study
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.doctor.checkpoints import check_checkpoint
from brainstruct.doctor.dataset import (
    FETCH,
    check_captions,
    check_design,
    check_stimuli,
    check_subject,
)
from brainstruct.doctor.environment import check_environment
from brainstruct.doctor.finding import Outcome
from brainstruct.doctor.flatmaps import check_flatmaps
from brainstruct.doctor.machine import check_disk, check_folders
from brainstruct.workflow.inputs import Inputs

_THREADS = 16
"""Checks wait for disks, hardly ever for the processor."""


def examine(
    study: Study, *, packages: bool = True, rooms: Sequence[str] | None = None
) -> list[Outcome]:
    """Run all checks, `packages` and GPUs only if asked; outcomes in the order of the work."""
    used = dict.fromkeys(model.checkpoint for model in study.models)
    layout = Inputs(study).layout
    with ThreadPoolExecutor(_THREADS) as pool:
        environment = pool.submit(check_environment, study, rooms) if packages else None
        rest = [
            *(pool.submit(check_checkpoint, study, name) for name in used),
            pool.submit(check_flatmaps, study, layout),
            pool.submit(check_folders, study),
            pool.submit(check_disk, study),
        ]
        return [
            *_data_set(study, layout, pool),
            *(future.result() for future in rest),
            *(environment.result() if environment is not None else []),
        ]


def _data_set(study: Study, layout: Layout, pool: ThreadPoolExecutor) -> list[Outcome]:
    if study.synthetic is not None:
        return [Outcome("data set", "written by this study")]
    if not layout.nsd_root.is_dir():
        outcome = Outcome("data set", study.data.nsd_root)
        outcome.add("error", layout.nsd_root, "does not exist", FETCH)
        return [outcome]
    subjects = [pool.submit(check_subject, study, layout, name) for name in study.subjects]
    design, images = check_design(study, layout)
    stimuli = []
    if any(not model.reads_captions for model in study.models):
        stimuli.append(pool.submit(check_stimuli, layout, images))
    if any(model.reads_captions for model in study.models):
        stimuli.append(pool.submit(check_captions, layout, images))
    return [design, *(future.result() for future in [*stimuli, *subjects])]
