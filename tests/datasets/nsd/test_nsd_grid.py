from __future__ import annotations

import nibabel
import numpy as np
import pytest

from brainstruct.datasets.nsd.synthetic.nifti import write_volume
from brainstruct.datasets.nsd.volumes import read_grid
from brainstruct.errors import InputError

SHAPE = (7, 5, 3)


def write(path, affine, sform, qform):
    image = nibabel.Nifti1Image(np.zeros(SHAPE, np.float32), affine)
    image.set_sform(affine, sform)
    image.set_qform(affine, qform)
    image.to_filename(path)
    return path


def test_the_affine_is_the_file_s(tmp_path):
    affine = np.array([[0, -2.0, 0, 5], [1.8, 0, 0, -9], [0, 0, 1.5, 3], [0, 0, 0, 1]])
    grid = read_grid(write(tmp_path / "a.nii.gz", affine, 1, 0), SHAPE)
    np.testing.assert_allclose(grid.affine, affine)
    assert (grid.shape, grid.code) == (SHAPE, 1)
    grid = read_grid(write(tmp_path / "q.nii.gz", np.diag([2.0, 2, 2, 1]), 0, 3), SHAPE)
    np.testing.assert_allclose(grid.affine, np.diag([2.0, 2, 2, 1]))
    assert grid.code == 3


def test_origin_of_the_nsd_s_own_volumes(tmp_path):
    write_volume(np.zeros(SHAPE, np.float32), tmp_path / "roi.nii.gz")
    grid = read_grid(tmp_path / "roi.nii.gz", SHAPE)
    # The centre of the slab is the origin.
    np.testing.assert_allclose(grid.affine @ [3, 2, 1, 1], [0, 0, 0, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.unlink(), "does not exist"),
        (lambda path: path.write_bytes(path.read_bytes()[:40]), "no NIfTI"),
        (lambda path: write(path, np.eye(4), 0, 0), "says nowhere"),
        (lambda path: write_volume(np.zeros((4, 4, 4), np.int16), path), "has shape"),
    ],
)
def test_a_file_that_says_nothing_is_named(tmp_path, change, words):
    path = write(tmp_path / "mask.nii.gz", np.eye(4), 1, 0)
    change(path)
    with pytest.raises(InputError, match=words) as caught:
        read_grid(path, SHAPE)
    assert "mask.nii.gz" in str(caught.value)
