from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.transforms import (
    FSAVERAGE_VERTICES,
    check_grid,
    read_depths,
    read_fsaverage,
)
from brainstruct.errors import InputError


def write(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.freesurfer.MGHImage(np.asarray(values, np.float32), np.eye(4)), path)


@pytest.fixture
def layout(tmp_path) -> Layout:
    """Five vertices at three depths, the last without coordinates."""
    layout = Layout(tmp_path)
    for depth, path in enumerate(layout.depth_files("subj01", "lh")):
        place = np.arange(15, dtype=float).reshape(5, 1, 1, 3) + depth + 1
        place[4] = 9999
        write(path, place)
    return layout


def test_files_have_the_names_of_the_data_set(layout):
    first = layout.depth_files("subj01", "lh")[0]
    assert first.name == "lh.func1pt8-to-layerB1.mgz"
    assert first.parent == layout.nsd_root / "nsddata/ppdata/subj01/transforms"
    fine = Layout(layout.nsd_root, space="func1mm")
    assert fine.depth_files("subj01", "rh")[2].name == "rh.func1pt0-to-layerB3.mgz"


def test_coordinates_count_from_zero_and_may_be_missing(layout):
    voxels = read_depths(layout, "subj01", "lh")
    assert voxels.shape == (3, 5, 3)
    assert voxels[0, 0].tolist() == [0, 1, 2]
    assert voxels[2, 1].tolist() == [5, 6, 7]
    assert np.isnan(voxels[:, 4]).all()
    assert np.isfinite(voxels[:, :4]).all()


def test_depths_that_disagree_are_refused(layout):
    write(layout.depth_files("subj01", "lh")[1], np.ones((4, 1, 1, 3)))
    with pytest.raises(InputError, match=r"layerB2\.mgz: has 4 vertices, .*layerB1\.mgz has 5"):
        read_depths(layout, "subj01", "lh")


def test_a_file_of_another_kind_is_refused(layout):
    write(layout.depth_files("subj01", "lh")[0], np.ones((5, 1, 1)))
    with pytest.raises(InputError, match=r"has shape \(5, 1, 1\) instead of 3 number"):
        read_depths(layout, "subj01", "lh")


def test_truncated_and_missing_files_are_refused(layout):
    path = layout.depth_files("subj01", "lh")[2]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"layerB3\.mgz: is damaged or no MGZ file"):
        read_depths(layout, "subj01", "lh")
    with pytest.raises(InputError, match=r"rh\..*layerB1\.mgz: does not exist"):
        read_depths(layout, "subj01", "rh")


def test_vertices_of_fsaverage_count_from_zero(layout):
    index = np.ones((FSAVERAGE_VERTICES, 1, 1))
    index[:3, 0, 0] = [5, 2, 1]
    write(layout.fsaverage_file("subj01", "lh"), index)
    assert read_fsaverage(layout, "subj01", "lh", 5)[:3].tolist() == [4, 1, 0]
    with pytest.raises(InputError, match=r"names vertices 0 to 4.* has 4"):
        read_fsaverage(layout, "subj01", "lh", 4)


def test_another_average_cortex_is_refused(layout):
    write(layout.fsaverage_file("subj01", "lh"), np.ones((10242, 1, 1)))
    with pytest.raises(InputError, match="has 10242 vertices, fsaverage has 163842"):
        read_fsaverage(layout, "subj01", "lh", 5)


@pytest.fixture
def shell():
    """Vertices on a sphere in a volume of 40 voxels a side, and the voxels there."""
    direction = np.random.default_rng(0).standard_normal((4000, 3))
    voxels = 20 + 15 * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    mask = np.zeros((40, 40, 40), bool)
    mask[tuple(np.rint(voxels).astype(int).T)] = True
    return voxels[None].astype(np.float32), mask


def test_the_right_grid_passes_with_vertices_missing(shell):
    voxels, mask = shell
    voxels[:, :500] = np.nan
    check_grid("transforms", voxels, mask)


def test_a_grid_of_unequal_sides_passes(shell):
    voxels = shell[0] * [0.7, 1, 1.4] + [30, 5, 0]
    mask = np.zeros((60, 45, 55), bool)
    mask[tuple(np.rint(voxels[0]).astype(int).T)] = True
    check_grid("transforms", voxels.astype(np.float32), mask)


def test_coordinates_of_a_finer_grid_are_refused(shell):
    voxels, mask = shell
    with pytest.raises(InputError, match=r"outside the volume of 40 x 40 x 40.*another grid"):
        check_grid("transforms", voxels * 1.8, mask)


def test_coordinates_of_a_coarser_grid_are_refused(shell):
    voxels, mask = shell
    with pytest.raises(InputError, match=r"puts no vertex within 3 voxels of .*another grid"):
        check_grid("transforms", voxels / 1.8, mask)


def test_no_coordinates_at_all_are_refused(shell):
    voxels, mask = shell
    with pytest.raises(InputError, match="no coordinates for any vertex"):
        check_grid("transforms", np.full_like(voxels, np.nan), mask)
