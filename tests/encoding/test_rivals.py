from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.encoding.alignment import NO_WINNER
from brainstruct.encoding.rivals import judge, judge_models

NAMES = ["a", "b", "c"]


def compared(p: dict[str, float], n: int = 4) -> xr.Dataset:
    """Pairs like ``a - b`` with a positive difference and a two-sided p, in all voxels."""
    pairs = [name.split(" - ") for name in p]
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    return xr.Dataset(
        {
            "difference": (("comparison", "voxel"), np.full((len(p), n), 0.1)),
            "p": (("comparison", "voxel"), np.repeat([[value] for value in p.values()], n, 1)),
        },
        coords={"a": ("comparison", first), "b": ("comparison", second)},
    )


def verdict(won: list[int], comparison, own: float = 1e-6) -> xr.Dataset:
    winner = xr.DataArray(won, dims="voxel")
    place = xr.DataArray(np.arange(3), dims="instruction", coords={"instruction": NAMES})
    rivals = place != winner
    return judge(winner, rivals, comparison, xr.full_like(rivals, own, dtype=float))


def test_the_strongest_rival_decides_and_p_is_one_sided():
    pairs = compared({"a - b": 1e-4, "a - c": 0.02, "b - c": 0.5})
    found = verdict([0, 1, 2, NO_WINNER], pairs)
    # a beats both; b loses to a, and so does c.
    assert found["p"].values[:3] == pytest.approx([0.01, 1 - 5e-5, 0.99])
    assert np.isnan(found["p"].values[3])
    assert found["q"].values[0] == pytest.approx(0.03)
    assert found["clear"].values.tolist() == [True, False, False, False]
    assert found["candidate"].values.T.tolist() == [
        [True, False, False],
        [True, True, True],
        [True, True, True],
        [False, False, False],
    ]


def test_who_is_not_clear_has_a_rival_among_the_candidates():
    # p 0.04 one-sided in one voxel of many that are surely not clear: q is too large.
    pairs = compared({"a - b": 0.08, "a - c": 1e-4, "b - c": 0.9}, n=4)
    pairs["p"][0, 1:] = 1.0
    found = verdict([0, 0, 0, 0], pairs)
    assert not found["clear"].any()
    assert found["candidate"].values[:, 0].tolist() == [True, True, False]


def test_what_is_no_better_than_chance_or_not_compared_is_not_clear():
    pairs = compared({"a - b": 1e-6, "a - c": 1e-6, "b - c": 1e-6})
    assert verdict([0] * 4, pairs)["clear"].all()
    assert verdict([0] * 4, pairs, own=np.nan)["clear"].all()
    assert not verdict([0] * 4, pairs, own=0.5)["clear"].any()
    assert not verdict([0] * 4, pairs.isel(comparison=[0]))["clear"].any()
    pairs["p"][0] = np.nan
    assert not verdict([0] * 4, pairs)["clear"].any()


def test_without_a_rival_nobody_is_clear():
    winner = xr.DataArray([0, 0], dims="voxel")
    alone = xr.DataArray(
        [[False, False]], dims=("instruction", "voxel"), coords={"instruction": ["a"]}
    )
    found = judge(winner, alone, None, xr.full_like(alone, 1e-6, dtype=float))
    assert not found["clear"].any()
    assert found["candidate"].all()
    assert found["p"].isnull().all()


def test_models_race_by_their_mean_scores():
    def model(score: list[float]) -> xr.Dataset:
        return xr.Dataset(
            {
                "cv_score": ("voxel", score),
                "p_mean": ("voxel", [1e-6] * 3),
                "layer": ("voxel", [3, 3, NO_WINNER]),
            }
        )

    winners = {"a": model([0.3, 0.1, 0.9]), "b": model([0.2, 0.2, 0.1])}
    found = judge_models(winners, compared({"a - b": 1e-6}, n=3))
    assert found["model_index"].values.tolist() == [0, 1, NO_WINNER]
    assert found["clear"].values.tolist() == [True, False, False]
    assert found["candidate"].dims == ("model", "voxel")
