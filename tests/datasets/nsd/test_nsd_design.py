from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from small_study import Study

from brainstruct.datasets.nsd import numbers
from brainstruct.datasets.nsd.design import (
    ExpDesign,
    planned_images,
    read_expdesign,
    trial_nsd_ids,
)
from brainstruct.datasets.nsd.layout import SUBJECTS
from brainstruct.errors import InputError


@pytest.fixture
def raw(study: Study) -> dict[str, np.ndarray]:
    """The file's own numbers, counted from 1."""
    stored = scipy.io.loadmat(study.layout.expdesign_file)
    return {name: stored[name].copy() for name in ("masterordering", "subjectim", "sharedix")}


def read_back(content: dict[str, Any], folder: Path) -> ExpDesign:
    path = folder / "nsd_expdesign.mat"
    scipy.io.savemat(path, content)
    return read_expdesign(path)


@pytest.mark.parametrize("subject", ["subj01", "subj03", "subj08"])
def test_trials_follow_the_authors_formula(
    study: Study, raw: dict[str, np.ndarray], subject: str
) -> None:
    shown = trial_nsd_ids(study.design, subject, 2)
    assert shown.shape == (1500,)
    row = SUBJECTS.index(subject)
    for trial in (0, 1, 749, 750, 1499):
        # MATLAB: subjectim(s, masterordering(t)), all counted from 1.
        number = raw["subjectim"][row, int(raw["masterordering"][0, trial]) - 1]
        assert shown[trial] == number - 1


def test_small_integer_types_are_read_alike(
    study: Study, raw: dict[str, np.ndarray], tmp_path: Path
) -> None:
    small = {
        "masterordering": raw["masterordering"].astype(np.uint16),
        "subjectim": raw["subjectim"].astype(np.int32),
        "sharedix": raw["sharedix"].astype(np.int32),
    }
    design = read_back(small, tmp_path)
    for name in ("positions", "images", "shared"):
        assert getattr(design, name).dtype == np.int64
        np.testing.assert_array_equal(getattr(design, name), getattr(study.design, name))


def test_planned_images_are_the_subjects_own(study: Study) -> None:
    own = [planned_images(study.design, subject) for subject in SUBJECTS]
    everything = np.concatenate([study.design.shared, *own])
    np.testing.assert_array_equal(np.sort(everything), np.arange(numbers.N_IMAGES))
    assert (np.diff(own[0]) > 0).all()
    np.testing.assert_array_equal(study.design.images[1, : numbers.N_SHARED], study.design.shared)


def test_unknown_subject_is_refused(study: Study) -> None:
    with pytest.raises(InputError, match="no subject of the NSD"):
        trial_nsd_ids(study.design, "subj10", 1)


def _count_from_zero(raw: dict[str, np.ndarray]) -> None:
    raw["masterordering"] -= 1


def _images_from_zero(raw: dict[str, np.ndarray]) -> None:
    raw["subjectim"] -= 1
    raw["sharedix"] -= 1


def _shift_shared(raw: dict[str, np.ndarray]) -> None:
    raw["sharedix"][0] = np.sort(raw["subjectim"][0, 1000:2000])


def _unsort_shared(raw: dict[str, np.ndarray]) -> None:
    raw["sharedix"][0, :2] = raw["sharedix"][0, 1::-1]


def _show_one_image_too_often(raw: dict[str, np.ndarray]) -> None:
    first = raw["masterordering"][0, 0]
    other = np.flatnonzero(raw["masterordering"][0] != first)[0]
    raw["masterordering"][0, other] = first


def _share_an_unshared_image(raw: dict[str, np.ndarray]) -> None:
    raw["subjectim"][1, 5000] = raw["subjectim"][0, 5000]


def _cut_trials(raw: dict[str, np.ndarray]) -> None:
    raw["masterordering"] = raw["masterordering"][:, :-1]


def _transpose(raw: dict[str, np.ndarray]) -> None:
    raw["subjectim"] = raw["subjectim"].T


def _halve(raw: dict[str, np.ndarray]) -> None:
    raw["masterordering"] = raw["masterordering"] / 2.0


def _drop(raw: dict[str, np.ndarray]) -> None:
    del raw["sharedix"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_count_from_zero, "3 of 30000 10k IDs lie outside 1..10000, the first is 0"),
        (_images_from_zero, "73k IDs lie outside"),
        (_shift_shared, "are not sharedix"),
        (_unsort_shared, "not ascending"),
        (_show_one_image_too_often, "shows 2 images not 3 times"),
        (_share_an_unshared_image, "plans 1 unshared images twice"),
        (_cut_trials, r"shape \(1, 29999\) instead of \(1, 30000\)"),
        (_transpose, r"shape \(10000, 8\)"),
        (_halve, "not whole"),
        (_drop, "no field sharedix"),
    ],
)
def test_inconsistent_designs_are_refused(
    raw: dict[str, np.ndarray], tmp_path: Path, spoil: Any, message: str
) -> None:
    raw["masterordering"] = raw["masterordering"].astype(np.int64)
    raw["subjectim"] = raw["subjectim"].astype(np.int64)
    raw["sharedix"] = raw["sharedix"].astype(np.int64)
    spoil(raw)
    with pytest.raises(InputError, match=message):
        read_back(raw, tmp_path)


def test_missing_and_damaged_files_are_refused(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_expdesign(tmp_path / "none.mat")
    content = study.layout.expdesign_file.read_bytes()
    for size in (0, 50, 200, len(content) // 2):
        path = tmp_path / f"{size}.mat"
        path.write_bytes(content[:size])
        with pytest.raises(InputError, match=r"no MATLAB file|no field|is empty"):
            read_expdesign(path)
