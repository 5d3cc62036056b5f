from __future__ import annotations

import nibabel
import numpy as np
import pytest
import xarray as xr

from brainstruct.datasets.nsd.labels import LABELS
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.rois import read_family, read_mask, read_roi
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


def test_regions_that_nobody_names_get_numbers_and_a_note(
    brain: Layout, caplog: pytest.LogCaptureFixture
) -> None:
    values = np.zeros((12, 14, 8))
    values[0, 0, :3] = 1, 4, 0
    put(brain, values, "MTL")
    places = xr.Dataset(
        {axis: ("voxel", [0, 0]) for axis in "ij"} | {"k": ("voxel", [0, 1])},
        attrs={"volume_shape": values.shape},
    )
    with caplog.at_level("INFO"):
        family = read_family(brain, "subj01", "MTL", places)
    assert family.names == {1: "MTL_1", 4: "MTL_4"}
    assert "MTL: no table names its labels; they are called MTL_1, MTL_4" in caplog.text


def test_a_table_that_names_nothing_is_refused_all_the_same(brain: Layout) -> None:
    values = np.zeros((12, 14, 8))
    values[0, 0, 0] = 2
    put(brain, values, "MTL")
    table = brain.label_tables("subj01", "MTL")[1]
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text("0 Unknown\n")
    with pytest.raises(InputError, match=rf"no name: \[2\].*{table}"):
        read_roi(brain, "subj01", "MTL")


def test_an_empty_mask_is_refused(brain: Layout) -> None:
    put(brain, np.full((12, 14, 8), -1.0))
    with pytest.raises(InputError, match="marks no voxel"):
        read_mask(brain, "subj01", "floc-faces")


def test_a_series_is_no_volume(brain: Layout) -> None:
    put(brain, np.zeros((12, 14, 8, 2)))
    with pytest.raises(InputError, match="is no volume"):
        read_roi(brain, "subj01", "floc-faces")
