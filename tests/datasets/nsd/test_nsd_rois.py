from __future__ import annotations

import nibabel
import numpy as np
import pytest

from brainstruct.datasets.nsd.labels import LABELS
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.rois import read_mask, read_roi
from brainstruct.errors import InputError


def put(layout: Layout, values: np.ndarray, family: str = "floc-faces") -> None:
    path = layout.roi_file("subj01", family)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)


def test_a_family_has_numbers_and_names(brain: Layout) -> None:
    family = read_roi(brain, "subj01", "prf-visualrois")
    assert family.numbers.dtype == np.int16
    assert family.names == LABELS["prf-visualrois"]
    assert set(np.unique(family.numbers)) == {-1, 0, 1, 2, 3, 4}


def test_a_mask_is_the_union_of_labels(brain: Layout) -> None:
    numbers = read_roi(brain, "subj01", "prf-visualrois").numbers
    np.testing.assert_array_equal(read_mask(brain, "subj01", "prf-visualrois"), numbers >= 1)


def test_an_absent_family_names_its_file(brain: Layout) -> None:
    brain.roi_file("subj01", "floc-faces").unlink()
    with pytest.raises(InputError, match="leave floc-faces out") as caught:
        read_roi(brain, "subj01", "floc-faces")
    assert caught.value.where == str(brain.roi_file("subj01", "floc-faces"))


def test_another_shape_names_both(brain: Layout) -> None:
    put(brain, np.zeros((12, 14, 9)))
    with pytest.raises(InputError, match=r"\(12, 14, 9\).*\(12, 14, 8\)"):
        read_roi(brain, "subj01", "floc-faces", (12, 14, 8))


@pytest.mark.parametrize("bad", [0.5, np.nan, np.inf, -2.0, 1e9])
def test_what_is_no_label_is_counted_and_located(brain: Layout, bad: float) -> None:
    values = np.zeros((12, 14, 8))
    values[3, 4, 5] = values[6, 7, 7] = bad
    put(brain, values)
    with pytest.raises(InputError, match=r"2 voxels hold no label .*voxel \(3, 4, 5\)"):
        read_roi(brain, "subj01", "floc-faces")


def test_labels_without_a_name_are_refused(brain: Layout) -> None:
    values = np.zeros((12, 14, 8))
    values[0, 0, 0] = 6
    put(brain, values)
    with pytest.raises(InputError, match=r"no name: \[6\]"):
        read_roi(brain, "subj01", "floc-faces")


def test_an_empty_mask_is_refused(brain: Layout) -> None:
    put(brain, np.full((12, 14, 8), -1.0))
    with pytest.raises(InputError, match="marks no voxel"):
        read_mask(brain, "subj01", "floc-faces")


def test_a_series_is_no_volume(brain: Layout) -> None:
    put(brain, np.zeros((12, 14, 8, 2)))
    with pytest.raises(InputError, match="is no volume"):
        read_roi(brain, "subj01", "floc-faces")
