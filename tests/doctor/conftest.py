from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "datasets/nsd"))

from small_study import write_study
from sound_study import write_checkpoints, write_store

from brainstruct.datasets.nsd.layout import Layout


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a study with nothing wrong; only to be read."""
    root = tmp_path_factory.mktemp("sound")
    layout = Layout(root / "nsd")
    write_study(layout)
    write_checkpoints(root / "checkpoints")
    write_store(root / "pycortex")
    return root


@pytest.fixture
def ill(sound: Path, tmp_path: Path) -> Path:
    """A copy of the study that a test may spoil."""
    return shutil.copytree(sound, tmp_path / "study")
