from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.encoding.fdr import benjamini_hochberg
from brainstruct.encoding.significance import combine_p, selected_p, significant
from ceilings import usable


def scores(p, cv):
    dims = ("instruction", "layer", "voxel")
    return xr.Dataset(
        {"p": (dims, np.array(p, float)), "cv_score": (dims, np.array(cv, float))},
        coords={"layer": [3, 7]},
    )


def test_p_is_that_of_the_selected_layer():
    found = selected_p(scores([[[0.01, 0.2], [0.5, 0.9]]], [[[1, 0], [0, 1]]]), "best")
    np.testing.assert_allclose(found, [[0.01, 0.9]])


def test_mean_over_layers_has_twice_the_mean_p():
    found = selected_p(scores([[[0.01, 0.8], [0.03, 0.9]]], [[[1, 0], [0, 1]]]), "mean")
    np.testing.assert_allclose(found, [[0.04, 1.0]])


@pytest.mark.parametrize("shared", [0.0, 0.7, 1.0])
def test_combined_p_is_valid_under_dependence(shared):
    """p-values from correlated scores: combined, they are below 0.05 in 5 % at most."""
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    z = np.sqrt(shared) * rng.standard_normal((1, 20000))
    z = z + np.sqrt(1 - shared) * rng.standard_normal((5, 20000))
    p = combine_p(xr.DataArray(norm.sf(z), dims=("layer", "voxel")), "layer")
    assert float((p <= 0.05).mean()) <= 0.052


def test_one_p_is_not_combined_with_anything():
    p = xr.DataArray([[0.3, 0.9]], dims=("layer", "voxel"))
    np.testing.assert_array_equal(combine_p(p, "layer"), [0.3, 0.9])


def test_voxels_are_one_family_and_instructions_others():
    rng = np.random.default_rng(1)
    p = xr.DataArray(rng.uniform(size=(2, 50)) ** 4, dims=("instruction", "voxel"))
    p[1] = rng.uniform(size=50)
    ceiling = xr.DataArray(np.linspace(0, 1, 50), dims="voxel")
    found = significant(p, usable(ceiling, 0.2))
    assert found.dims == p.dims
    tested = ceiling.values >= 0.2
    for row in range(2):
        expected = benjamini_hochberg(p.values[row, tested]) <= 0.05
        np.testing.assert_array_equal(found.values[row, tested], expected)
        assert np.isnan(found.values[row, ~tested]).all()
    assert found[0].sum() > 0 == found[1].sum()


def test_without_tests_nothing_is_said():
    p = xr.DataArray(np.full((1, 4), np.nan), dims=("instruction", "voxel"))
    assert significant(p, xr.DataArray(np.ones(4), dims="voxel")).isnull().all()
