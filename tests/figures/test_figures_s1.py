"""Sampling of a real cortex: pycortex's subject S1."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from brainstruct.errors import InputError
from brainstruct.figures.surface import read_flatmap, write_flatmap


def test_regions_have_the_sizes_that_pycortex_gives_them(s1_anatomy):
    # cortex.get_roi_masks('S1', 'fullhead'), which takes a minute: 636, 565, 528, 258.
    names = json.loads(s1_anatomy["label"].attrs["names"])
    sizes = {name: int((s1_anatomy["label"] == int(n)).sum()) for n, name in names.items()}
    expected = {"V1": 636, "V2": 565, "EBA": 528, "PPA": 258}
    assert sizes == pytest.approx(expected, rel=0.02)
    assert int(s1_anatomy["cortex"].sum()) == 80615


def test_labels_lie_in_the_ribbon_and_the_ribbon_in_the_cortex(s1_anatomy):
    ribbon = s1_anatomy["ribbon"]
    assert bool(ribbon.where(s1_anatomy["label"] > 0, True).all())
    assert bool(s1_anatomy["cortex"].where(ribbon, True).all())
    known = s1_anatomy["hemisphere"].where(s1_anatomy["cortex"], 9)
    assert set(np.unique(known)) == {0, 1, 9}


def test_regions_are_in_both_hemispheres(s1_anatomy):
    visual = s1_anatomy["hemisphere"].values[s1_anatomy["label"].values == 1]
    assert 200 < (visual == 0).sum() < 450
    assert 200 < (visual == 1).sum() < 450


def test_a_region_that_is_not_drawn_is_refused(s1_store):
    from brainstruct.figures.anatomy import sample_anatomy

    with pytest.raises(InputError, match=r"draws no V4, nowhere.*V1"):
        sample_anatomy("S1", "fullhead", ["V1", "V4", "nowhere"])


def test_unknown_subjects_and_transforms_are_refused(s1_store):
    from brainstruct.figures.cortex_store import find_subject
    from brainstruct.figures.halves import read_alignment

    with pytest.raises(InputError, match=r"no subject 'S2' \(it has S1"):
        find_subject(s1_store / "db", "S2")
    with pytest.raises(InputError, match=r"no transform 'func' \(it has fullhead"):
        read_alignment(s1_store / "db/S1", "func")


def test_a_flatmap_read_back_is_the_one_built(s1_flatmap, tmp_path):
    write_flatmap(s1_flatmap, tmp_path / "again.npz")
    again = read_flatmap(tmp_path / "again.npz")
    assert (again.sampler != s1_flatmap.sampler).nnz == 0
    for part in ("inside", "curvature", "vertices"):
        np.testing.assert_array_equal(getattr(again, part), getattr(s1_flatmap, part))
    assert (again.extent, again.note) == (s1_flatmap.extent, s1_flatmap.note)


def test_left_is_left_and_posterior_regions_are_in_the_middle(s1_flatmap, s1_anatomy):
    inside = s1_anatomy["cortex"].values
    ijk = np.argwhere(inside)
    coords = {axis: ("voxel", index) for axis, index in zip("ijk", ijk.T, strict=True)}
    side = xr.DataArray(s1_anatomy["hemisphere"].values[inside], dims="voxel", coords=coords)
    image = s1_flatmap.vote(side, 2)
    half = image.shape[1] // 2
    assert (image[:, : half - 10][image[:, : half - 10] >= 0] == 0).mean() > 0.98
    assert (image[:, half + 10 :][image[:, half + 10 :] >= 0] == 1).mean() > 0.98
    visual = xr.DataArray(s1_anatomy["label"].values[inside] == 1, dims="voxel", coords=coords)
    _, columns = np.nonzero(np.nan_to_num(s1_flatmap.coverage(visual)) > 0.5)
    assert np.abs(columns - half).max() < 0.2 * image.shape[1]


def test_gyri_are_positive(s1_flatmap, s1_store):
    """The outermost points of the brain are crowns of gyri."""
    from scipy.spatial import ConvexHull

    from brainstruct.figures.cortex_store import pycortex

    database = pycortex().db
    _, triangles = database.get_surf("S1", "flat", merge=True)
    flat = s1_flatmap.vertices
    middle, _ = database.get_surf("S1", "fiducial", merge=True)
    crowns = np.intersect1d(ConvexHull(middle).vertices, np.unique(triangles))
    left, right, bottom, top = s1_flatmap.extent
    rows, columns = s1_flatmap.inside.shape
    x = ((flat[crowns, 0] - left) / (right - left) * (columns - 1)).round().astype(int)
    y = ((top - flat[crowns, 1]) / (top - bottom) * (rows - 1)).round().astype(int)
    assert (s1_flatmap.curvature[y, x][s1_flatmap.inside[y, x]] > 0).mean() > 0.9


def test_the_vote_invents_no_category_where_the_mean_does(s1_flatmap, s1_anatomy):
    inside = s1_anatomy["cortex"].values
    ijk = np.argwhere(inside)
    coords = {axis: ("voxel", index) for axis, index in zip("ijk", ijk.T, strict=True)}
    codes = np.random.default_rng(5).choice([0, 9], len(ijk))
    vote = s1_flatmap.vote(xr.DataArray(codes, dims="voxel", coords=coords), 10)
    mean = s1_flatmap.average(xr.DataArray(codes.astype(float), dims="voxel", coords=coords))
    assert set(np.unique(vote)) == {-1, 0, 9}
    shown = np.isfinite(mean)
    np.testing.assert_array_equal(shown, vote >= 0)
    invented = ~np.isin(mean[shown].round().astype(int), [0, 9])
    assert invented.mean() > 0.1
    disagree = mean[shown].round() != vote[shown]
    assert disagree.mean() > 0.1


def test_the_average_is_pycortexs_where_the_whole_depth_is_known(pycortexs, s1_store):
    from brainstruct.figures.cortex_store import private_cache, pycortex

    cortex = pycortex()
    volume = np.random.default_rng(6).standard_normal((31, 100, 100))
    with private_cache():
        expected, _ = cortex.quickflat.utils.make_flatmap_image(
            cortex.Volume(volume, "S1", "fullhead"), height=96, thick=8
        )
    ijk = np.indices((100, 100, 31)).reshape(3, -1)
    coords = {axis: ("voxel", index) for axis, index in zip("ijk", ijk, strict=True)}
    values = xr.DataArray(volume.swapaxes(0, 2).ravel(), dims="voxel", coords=coords)
    np.testing.assert_allclose(pycortexs.average(values), expected, atol=1e-5)
