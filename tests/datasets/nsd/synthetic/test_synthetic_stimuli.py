from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
from PIL import Image
from pydantic import ValidationError
from small_study import IMAGE_SIZE, PLAN, SEED, Study

from brainstruct.datasets.nsd.design import trial_nsd_ids
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic.design import draw_design, write_expdesign
from brainstruct.datasets.nsd.synthetic.photographs import (
    PHOTOGRAPHS,
    Crop,
    cut,
    draw_crop,
    load_photographs,
)
from brainstruct.datasets.nsd.synthetic.settings import Written
from brainstruct.datasets.nsd.synthetic.stimuli import write_stimuli


@pytest.fixture(scope="module")
def photographs() -> dict[str, Image.Image]:
    return load_photographs()


def test_the_design_file_has_every_field_in_its_shape(study: Study) -> None:
    stored = scipy.io.loadmat(study.layout.expdesign_file)
    shapes = {
        "masterordering": (1, 30_000),
        "subjectim": (8, 10_000),
        "sharedix": (1, 1_000),
        "basiccnt": (3, 40),
        "stimpattern": (40, 12, 75),
    }
    assert {name: stored[name].shape for name in shapes} == shapes
    assert {stored[name].dtype for name in shapes} == {np.dtype(np.float64)}
    np.testing.assert_array_equal(stored["stimpattern"].sum(axis=2), np.tile([63, 62] * 6, (40, 1)))
    assert not stored["stimpattern"][..., [0, 1, 2, 71, 72, 73, 74]].any()
    assert (stored["basiccnt"].sum(axis=0) == 750).all()
    assert (stored["basiccnt"].sum(axis=1) == 10_000).all()


def test_the_longest_subject_sees_each_image_three_times(study: Study) -> None:
    _, times = np.unique(trial_nsd_ids(study.design, "subj01", 2), return_counts=True)
    assert times.tolist() == [3] * 500


def test_the_table_has_the_columns_of_the_nsd(study: Study) -> None:
    table = pd.read_csv(study.layout.stim_info_file)
    subjects = [f"subject{number}" for number in range(1, 9)]
    assert table.columns.tolist() == [
        *("Unnamed: 0", "cocoId", "cocoSplit", "cropBox", "loss", "nsdId", "flagged"),
        *("BOLD5000", "shared1000", *subjects),
        *(f"{subject}_rep{rep}" for subject in subjects for rep in range(3)),
    ]
    assert table["cocoId"].is_unique
    assert set(table["cocoSplit"]) == {"train2017", "val2017"}
    assert (table[subjects].sum() == 10_000).all()
    assert (table[subjects].sum(axis=1)[table["shared1000"]] == 8).all()
    assert (table[subjects].sum(axis=1)[~table["shared1000"]] == 1).all()
    trials = table.loc[table["subject4"] == 1, [f"subject4_rep{rep}" for rep in range(3)]]
    np.testing.assert_array_equal(np.sort(trials.to_numpy().ravel()), np.arange(1, 30_001))
    box = table["cropBox"].str.fullmatch(r"\((0|0?\.\d+)(, (0|0?\.\d+)){3}\)")
    assert box.all()


def test_only_images_that_were_shown_take_space(study: Study) -> None:
    shown = set(trial_nsd_ids(study.design, "subj01", 2)) | set(
        trial_nsd_ids(study.design, "subj03", 1)
    )
    with h5py.File(study.layout.stimuli_file) as file:
        images = file["imgBrick"]
        assert images.shape == (73_000, 24, 24, 3)
        assert images.chunks == (1, 24, 24, 3)
        assert images.id.get_num_chunks() == len(shown)
    assert study.layout.stimuli_file.stat().st_size < 3e6


def test_an_image_is_its_crop(study: Study, photographs: dict[str, Image.Image]) -> None:
    nsd_id = int(study.index("subj03")["nsd_id"].iloc[11])
    with h5py.File(study.layout.stimuli_file) as file:
        stored = file["imgBrick"][nsd_id]
    np.testing.assert_array_equal(stored, cut(draw_crop(nsd_id, SEED), photographs, 24))


def test_crops_are_squares_of_photographs(photographs: dict[str, Image.Image]) -> None:
    assert set(photographs) == set(PHOTOGRAPHS)
    assert {image.mode for image in photographs.values()} == {"RGB"}
    full = Crop("cat", scale=1.0, left=0.0, top=0.0, mirrored=False)
    side = min(photographs["cat"].size)
    whole = np.asarray(photographs["cat"])[:side, :side]
    np.testing.assert_array_equal(cut(full, photographs, side), whole)
    mirrored = Crop("cat", scale=1.0, left=0.0, top=0.0, mirrored=True)
    np.testing.assert_array_equal(cut(mirrored, photographs, side), whole[:, ::-1])
    right = Crop("cat", scale=1.0, left=1.0, top=0.0, mirrored=False)
    np.testing.assert_array_equal(
        cut(right, photographs, side), np.asarray(photographs["cat"])[:, -side:]
    )


def test_crops_differ_between_images_and_seeds() -> None:
    assert len({draw_crop(nsd_id, 0) for nsd_id in range(200)}) == 200
    assert draw_crop(5, 0) == draw_crop(5, 0) != draw_crop(5, 1)


def test_the_same_seed_writes_the_same_study(study: Study, tmp_path: Path) -> None:
    again = Layout(tmp_path)
    write_stimuli(again, PLAN, IMAGE_SIZE)
    for path in (
        study.layout.stim_info_file,
        study.layout.stimuli_file,
        study.layout.captions_file("train2017"),
    ):
        other = again.nsd_root / path.relative_to(study.layout.nsd_root)
        assert other.read_bytes() == path.read_bytes(), path.name
    one, other_design = (
        scipy.io.loadmat(layout.expdesign_file) for layout in (study.layout, again)
    )
    for name in ("masterordering", "subjectim", "sharedix", "basiccnt"):
        np.testing.assert_array_equal(one[name], other_design[name])
    assert not list(tmp_path.rglob("*.part*"))


@pytest.mark.parametrize(
    ("sessions", "n_shared", "n_unique", "message"),
    [
        ({"subj01": 1}, 50, 201, "1 sessions have 750 trials, but .* are 753"),
        ({"subj01": 1, "subj02": 2}, 50, 200, "2 sessions have 1500 trials"),
        ({"subj01": 41}, 1_000, 9_250, "less than or equal to 9000"),
        ({"subj01": 41}, 1_000, 9_000, "41 sessions have 30750 trials"),
        ({"subj01": 2, "subj02": 0}, 100, 400, "greater than 0"),
        ({}, 1, 1, "at least 1 item"),
        ({"subj01": 8}, 1_001, 999, "less than or equal to 1000"),
        ({"sub-01": 1}, 50, 200, "unknown name 'sub-01'"),
    ],
)
def test_impossible_plans_are_refused(
    sessions: dict[str, int], n_shared: int, n_unique: int, message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Written(seed=1, sessions=sessions, shared_images=n_shared, unique_images=n_unique)


def test_captions_speak_of_the_photograph(study: Study) -> None:
    content = json.loads(study.layout.captions_file("val2017").read_text())
    numbers = dict(zip(study.info["coco_id"], study.info["nsd_id"], strict=True))
    assert content["annotations"]
    for entry in content["annotations"]:
        crop = draw_crop(int(numbers[entry["image_id"]]), SEED)
        words = " ".join(entry["caption"].split()).lower()
        assert PHOTOGRAPHS[crop.photograph].subject in words


def test_the_design_has_the_same_bytes_whenever_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "other"):
        monkeypatch.setattr("time.asctime", lambda name=name: name)  # what scipy writes
        write_expdesign(draw_design(PLAN), tmp_path / f"{name}.mat")
    assert (tmp_path / "one.mat").read_bytes() == (tmp_path / "other.mat").read_bytes()
