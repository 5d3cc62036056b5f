from __future__ import annotations

import numpy as np
import pytest

from brainstruct.errors import InputError
from brainstruct.figures.surface import check_volume


def test_each_voxel_lands_on_its_own_pixels(sheet, voxels, place):
    image = sheet.average(place(voxels["i"].values * 10.0 + voxels["j"].values))
    rows, columns = np.nonzero(sheet.inside)
    expected = columns * 8 // 80 * 10 + rows * 4 // 40
    np.testing.assert_allclose(image[sheet.inside], expected, atol=1e-4)
    assert np.isnan(image[~sheet.inside]).all()


def test_averages_leave_missing_depths_out(sheet, voxels, place):
    values = np.where(voxels["k"] == 2, np.nan, voxels["k"].values * 2.0)
    np.testing.assert_allclose(sheet.average(place(values))[sheet.inside], 1.0, atol=1e-6)


def test_a_pixel_is_blank_where_most_of_the_depth_is_unknown(sheet, voxels, place):
    one_of_three = place(np.where(voxels["k"] == 0, 1.0, np.nan))
    assert np.isnan(sheet.average(one_of_three)).all()
    codes = place(np.where(voxels["k"] == 0, 1, -1))
    assert (sheet.vote(codes, 2) == -1).all()


def test_the_vote_is_the_majority_and_not_the_mean(sheet, voxels, place):
    # 0, 0 and 9 under every pixel: the mean, 3, is a category that no voxel has.
    codes = place(np.where(voxels["k"] == 2, 9, 0))
    vote, mean = sheet.vote(codes, 10), sheet.average(codes.astype(float))
    assert set(np.unique(vote[sheet.inside])) == {0}
    np.testing.assert_allclose(mean[sheet.inside], 3.0, atol=1e-5)


def test_a_tied_vote_goes_to_the_first_category(sheet, voxels, place):
    codes = place(np.select([voxels["k"] == 0, voxels["k"] == 1], [4, 2], -1))
    assert set(np.unique(sheet.vote(codes, 5)[sheet.inside])) == {2}


def test_coverage_is_the_share_of_the_depth(sheet, voxels, place):
    share = sheet.coverage(place(voxels["k"].values < 2))
    np.testing.assert_allclose(share[sheet.inside], 2 / 3, atol=1e-6)


def test_voxels_outside_the_volume_are_refused(sheet, place):
    far = place(np.ones(96))
    far = far.assign_coords(i=far["i"] + 5)
    with pytest.raises(InputError, match=r"covers 8 x 4 x 3 voxels.*\(12, 3, 2\)"):
        sheet.average(far)


def test_volumes_of_another_shape_are_refused():
    check_volume((8, 4, 3), [8, 4, 3], "here")
    with pytest.raises(InputError, match="'here' is for volumes of 8 x 4 x 3"):
        check_volume((8, 4, 3), (3, 4, 8), "here")
