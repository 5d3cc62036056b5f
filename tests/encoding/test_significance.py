from __future__ import annotations

import numpy as np
import xarray as xr

from brainstruct.encoding.fdr import benjamini_hochberg
from brainstruct.encoding.significance import least_discoveries, significant
from ceilings import usable


def chance(p, p_fwe=None):
    return xr.Dataset({"p": p, "p_fwe": p if p_fwe is None else p_fwe})


def test_voxels_are_one_family_and_instructions_others():
    rng = np.random.default_rng(1)
    p = xr.DataArray(rng.uniform(size=(2, 50)) ** 4, dims=("instruction", "voxel"))
    p[1] = rng.uniform(size=50)
    ceiling = xr.DataArray(np.linspace(0, 1, 50), dims="voxel")
    found = significant(chance(p), usable(ceiling, 0.2))
    assert found.dims == p.dims
    tested = ceiling.values >= 0.2
    for row in range(2):
        expected = benjamini_hochberg(p.values[row, tested]) <= 0.05
        np.testing.assert_array_equal(found.values[row, tested], expected)
        assert np.isnan(found.values[row, ~tested]).all()
    assert found[0].sum() > 0 == found[1].sum()


def test_without_tests_nothing_is_said():
    p = xr.DataArray(np.full((1, 4), np.nan), dims=("instruction", "voxel"))
    for control in ("fdr", "fwe"):
        found = significant(chance(p), xr.DataArray(np.ones(4), dims="voxel"), control)
        assert found.isnull().all()


def test_family_wise_error_is_controlled_on_request():
    p = xr.DataArray([1e-3, 1e-3, 1e-3, 0.5], dims="voxel")
    p_fwe = xr.DataArray([0.04, 0.2, 0.04, 1], dims="voxel")
    ceiling = xr.DataArray([1.0, 1.0, np.nan, 1.0], dims="voxel")
    found = significant(chance(p, p_fwe), ceiling, "fwe")
    np.testing.assert_array_equal(found, [1, 0, np.nan, 0])
    assert significant(chance(p, p_fwe), ceiling, "fdr").sum() == 2


def test_it_is_known_how_many_voxels_a_floor_asks_for():
    assert least_discoveries(1e-3, 15_000) == 300
    assert least_discoveries(1e-7, 15_000) == 1
