from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainstruct.datasets.nsd.blocks import block_images
from brainstruct.datasets.nsd.check import require_nsd
from brainstruct.datasets.nsd.design import planned_images, trial_nsd_ids
from brainstruct.datasets.nsd.synthetic.design import draw_design
from brainstruct.datasets.nsd.synthetic.plan import StudyPlan
from brainstruct.errors import InputError

SUBJECT = "subj02"


@pytest.fixture(scope="module")
def design():
    return draw_design(StudyPlan({"subj01": 2, SUBJECT: 1}, 100, 400), seed=4)


@pytest.fixture(scope="module")
def info():
    ids = np.arange(73000)
    return pd.DataFrame({"nsd_id": ids, "coco_id": ids * 7, "coco_split": "train2017"})


def test_blocks_hold_every_shown_image_once(design, info):
    shown = set(trial_nsd_ids(design, SUBJECT, 1).tolist())
    blocks = [
        block_images(design, info, SUBJECT, index, images=4500, sessions=1) for index in range(2)
    ]
    blocks.append(block_images(design, info, "shared", 0, images=4500, sessions=1))
    ids = [nsd_id for block in blocks for nsd_id in block["nsd_id"]]
    assert sorted(ids) == sorted(shown)
    assert all((block["coco_id"] == 7 * block["nsd_id"]).all() for block in blocks)


def test_more_sessions_never_move_an_image_to_another_block(design, info):
    few, many = (
        block_images(design, info, "subj01", 0, images=4500, sessions=sessions)["nsd_id"]
        for sessions in (1, 2)
    )
    assert set(few) < set(many)
    assert set(many) <= set(np.sort(planned_images(design, "subj01"))[:4500])


def test_empty_block_is_an_error(design, info):
    with pytest.raises(InputError, match="holds no image that was shown"):
        block_images(design, info, SUBJECT, 8999, images=1, sessions=1)


def test_missing_files_are_all_named(tmp_path):
    there = tmp_path / "a.mat"
    there.write_bytes(b"x")
    assert require_nsd("root", [str(there)]) == [{"path": str(there), "bytes": 1}]
    empty = tmp_path / "b.hdf5"
    empty.touch()
    with pytest.raises(InputError) as error:
        require_nsd("root", [str(there), str(empty), *(f"gone{n}" for n in range(20))])
    assert "21 of 22 files" in str(error.value)
    assert "b.hdf5" in str(error.value)
    assert "and 9 more" in str(error.value)
