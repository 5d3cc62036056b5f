"""A small study on disk, written once per test run; tests that spoil files copy it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_study import Study, write_study

from brainstruct.datasets.nsd.layout import Layout


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return write_study(Layout(tmp_path_factory.mktemp("nsd")))


@pytest.fixture
def brain(study: Study, tmp_path: Path) -> Layout:
    """A copy of the subjects' files (no images) that a test may spoil, but for the design."""
    root = study.layout.nsd_root
    for folder in ("nsddata", "nsddata_betas"):
        shutil.copytree(
            root / folder,
            tmp_path / folder,
            ignore=shutil.ignore_patterns("experiments", "behav"),
        )
    (tmp_path / "nsddata/experiments").symlink_to(root / "nsddata/experiments")
    return Layout(tmp_path)
