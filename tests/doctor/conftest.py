from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "nsd"))

from small_study import PLAN, SEED, SESSIONS, make_anatomy, make_features, subject_plan
from sound_study import write_checkpoints, write_store

from brainstruct.nsd.design import read_expdesign
from brainstruct.nsd.layout import Layout
from brainstruct.nsd.stimuli import index_subject, read_stim_info
from brainstruct.nsd.synthetic.stimuli import write_stimuli
from brainstruct.nsd.synthetic.subjects import write_subject


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a study with nothing wrong; only to be read."""
    root = tmp_path_factory.mktemp("sound")
    layout = Layout(root / "nsd")
    write_stimuli(layout, PLAN, SEED)
    design = read_expdesign(layout.expdesign_file)
    info = read_stim_info(layout.stim_info_file, design)
    for subject, sessions in SESSIONS.items():
        seen = index_subject(design, info, subject, sessions)["nsd_id"].to_numpy()
        features = make_features(seen)
        write_subject(layout, subject, make_anatomy(), features, subject_plan(subject), SEED)
    write_checkpoints(root / "checkpoints")
    write_store(root / "pycortex")
    return root


@pytest.fixture
def ill(sound: Path, tmp_path: Path) -> Path:
    """A copy of the study that a test may spoil."""
    return shutil.copytree(sound, tmp_path / "study")
