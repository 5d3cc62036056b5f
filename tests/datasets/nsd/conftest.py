"""A small study on disk, written once per test run; tests that spoil files copy it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_study import (
    PLAN,
    SEED,
    SESSIONS,
    Study,
    make_anatomy,
    make_features,
    subject_plan,
)

from brainstruct.datasets.nsd.design import read_expdesign
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.stimuli import read_stim_info
from brainstruct.datasets.nsd.synthetic.stimuli import write_stimuli
from brainstruct.datasets.nsd.synthetic.subjects import write_subject


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    layout = Layout(tmp_path_factory.mktemp("nsd"))
    write_stimuli(layout, PLAN, SEED)
    design = read_expdesign(layout.expdesign_file)
    made = Study(layout, design, read_stim_info(layout.stim_info_file, design))
    for subject in SESSIONS:
        features = make_features(made.index(subject)["nsd_id"].to_numpy())
        plan = subject_plan(subject)
        write_subject(layout, subject, make_anatomy(), features, plan, SEED)
    return made


@pytest.fixture
def brain(study: Study, tmp_path: Path) -> Layout:
    """A copy of the subjects' files (no images) that a test may spoil."""
    for folder in ("nsddata", "nsddata_betas"):
        shutil.copytree(
            study.layout.nsd_root / folder,
            tmp_path / folder,
            ignore=shutil.ignore_patterns("experiments", "behav"),
        )
    return Layout(tmp_path)
