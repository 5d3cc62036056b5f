from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from brainstruct.embedding.reading import Embeddings, matching_images
from brainstruct.encoding.alignment import NO_WINNER, find_winners, select_layers
from brainstruct.encoding.ceiling import ncsnr_ceiling
from brainstruct.encoding.recovery import match_voxels, recovery_table
from brainstruct.encoding.regions import regions, roi_table
from brainstruct.store.arrays import write_dataset
from ceilings import usable


@pytest.fixture
def scores():
    # Two instructions, three layers, four voxels; CV and test disagree on purpose.
    cv = np.zeros((2, 3, 4), np.float32)
    cv[0, 2, 0], cv[1, 1, 0] = 0.9, 0.5
    cv[0, 0, 1], cv[1, 2, 1] = 0.2, 0.7
    cv[0, 1, 2], cv[1, 0, 2] = 0.3, 0.1
    r = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 24
    return xr.Dataset(
        {name: (("instruction", "layer", "voxel"), a) for name, a in (("r", r), ("cv_score", cv))},
        coords={"instruction": ["IC", "VQ1"], "layer": [0, 5, 9], "voxel": np.arange(4)},
    )


def test_layers_are_selected_by_training_score(scores):
    best = select_layers(scores, "best")
    assert best["layer"].sel(instruction="IC").values[:3].tolist() == [9, 0, 5]
    assert best["r"].sel(instruction="IC").values[0] == scores["r"].values[0, 2, 0]
    mean = select_layers(scores, "mean")
    np.testing.assert_allclose(mean["r"].values, scores["r"].values.mean(1))


def test_winners(scores):
    ceiling = xr.DataArray(np.array([0.5, 1.0, 0.02, np.nan], np.float32), dims="voxel")
    found = find_winners(scores, usable(ceiling), rule="best")
    assert found["instruction_index"].values.tolist() == [0, 1, NO_WINNER, NO_WINNER]
    assert found["layer"].values.tolist() == [9, 9, NO_WINNER, NO_WINNER]
    r = scores["r"].values
    assert found["alignment"].values[0] == pytest.approx(r[0, 2, 0] / 0.5)
    assert found["margin"].values[0] == pytest.approx((r[0, 2, 0] - r[1, 1, 0]) / 0.5)
    assert np.isnan(found["alignment"].values[2:]).all()


@pytest.mark.parametrize("rule", ["best", "mean"])
def test_the_first_of_equals_wins_and_no_score_loses(scores, rule):
    three = scores.isel(instruction=[0, 1, 0]).copy(deep=True)
    three = three.assign_coords(instruction=["a", "b", "c"])
    three["cv_score"][:] = 0.5
    three["cv_score"][0, :, 1] = np.nan
    three["cv_score"][1:, :, 2] = np.nan
    three["cv_score"][:, :, 3] = np.nan
    ceiling = xr.DataArray(np.ones(4, np.float32), dims="voxel")
    found = find_winners(three, usable(ceiling), rule=rule)
    assert found["instruction_index"].values.tolist() == [0, 1, 0, 0]
    assert found["layer"].values.tolist() == [0, 0, 0, 0]
    r = found["alignment_by_instruction"].values
    runners_up = [1, 2, 1, 1]
    expected = found["alignment"].values - r[runners_up, np.arange(4)]
    np.testing.assert_allclose(found["margin"], expected, atol=1e-6)


def test_one_instruction_has_no_margin(scores):
    ceiling = xr.DataArray(np.ones(4, np.float32), dims="voxel")
    found = find_winners(scores.isel(instruction=[1]), ceiling, rule="mean")
    assert np.isnan(found["margin"]).all()
    assert (found["instruction_index"] == 0).all()


def test_ncsnr_ceiling_is_what_a_perfect_model_reaches():
    rng = np.random.default_rng(0)
    snr, n = np.array([0.4, 1.0, 2.0]), 200_000
    repetitions = rng.integers(1, 4, n)
    signal = rng.standard_normal((n, 3)) * snr
    noise = rng.standard_normal((n, 3)) / np.sqrt(repetitions)[:, None]
    reached = [np.corrcoef(signal[:, v], (signal + noise)[:, v])[0, 1] for v in range(3)]
    np.testing.assert_allclose(ncsnr_ceiling(snr, repetitions), reached, atol=0.005)


def test_ncsnr_ceiling_refuses_images_without_trials():
    with pytest.raises(ValueError, match="at least one"):
        ncsnr_ceiling([1.0], [3, 0])
    assert np.isnan(ncsnr_ceiling([np.nan], [3])[0])


@pytest.fixture
def space():
    return xr.Dataset(
        {"roi_label": (("roi", "voxel"), np.array([[1, 2, 2, 0], [0, 0, 0, -1]], np.int16))},
        coords={
            "roi": ["prf", "floc"],
            "voxel": np.arange(4),
            **{name: ("voxel", np.arange(4) + shift) for shift, name in enumerate("ijk")},
        },
        attrs={"roi_labels": json.dumps({"prf": {"1": "V1v", "2": "V1d"}, "floc": {"1": "FFA-1"}})},
    )


def test_regions_are_unions_and_single_labels(space):
    found = {(region.family, region.label): region.voxels.sum() for region in regions(space, "m")}
    assert found == {
        ("m", "all"): 4,
        ("prf", "all"): 3,
        ("prf", "V1v"): 1,
        ("prf", "V1d"): 2,
        ("floc", "all"): 0,
        ("floc", "FFA-1"): 0,
    }


def test_absent_region_is_nan_and_exclusions_are_counted(space):
    r = xr.DataArray(
        [[0.2, 0.4, 0.6, 0.8]], dims=("instruction", "voxel"), coords={"instruction": ["IC"]}
    )
    ceiling = xr.DataArray([1.0, 0.5, 0.01, 1.0], dims="voxel")
    table = roi_table(r, usable(ceiling), space, "m").set_index(["family", "label"])
    row = table.loc[("prf", "all")]
    assert (row["n_voxels"], row["n_excluded"]) == (3, 1)
    assert row["alignment"] == pytest.approx((0.2 + 0.4) / (1.0 + 0.5))
    assert row["voxel_alignment"] == pytest.approx((0.2 + 0.8) / 2)
    assert row["r"] == pytest.approx((0.2 + 0.4) / 2)
    assert np.isnan(table.loc[("floc", "FFA-1"), "alignment"])


def test_design_matrix_follows_the_images_not_the_order_of_blocks(tmp_path):
    def block(ids):
        ids = np.array(ids)
        states = np.stack([ids * 10 + layer for layer in (0, 3)])[..., None].astype(np.float16)
        return xr.Dataset(
            {"embedding": (("layer", "stimulus", "feature"), states)},
            coords={"layer": [0, 3], "stimulus": ids, "feature": [0]},
        )

    blocks = [block([7, 2, 9]), block([4, 1])]
    paths = [tmp_path / "own.nc", tmp_path / "shared.nc"]
    for one, path in zip(blocks, paths, strict=True):
        write_dataset(one, path)
    wanted = xr.DataArray([1, 2, 7], dims="stimulus")
    spaces = Embeddings(paths, wanted)
    assert spaces.layer(3)[:, 0].tolist() == [13, 23, 73]
    spaces.close()
    with pytest.raises(ValueError, match=r"1 of 2 images are not embedded \(first: \[5\]\)"):
        matching_images(xr.DataArray([1, 5]), [b["stimulus"] for b in blocks])
    with pytest.raises(ValueError, match="1 are embedded more than once"):
        matching_images(
            wanted, [blocks[0]["stimulus"], blocks[1]["stimulus"], blocks[1]["stimulus"][1:]]
        )


def test_recovery(space):
    winners = xr.Dataset(
        {
            name: ("voxel", values)
            for name, values in {
                "instruction_index": [0, 1, 1, -1],
                "clear": [True, False, True, False],
                "layer": [5, 9, 3, -1],
                "layer_low": [5, 8, 1, -1],
                "layer_high": [6, 9, 4, -1],
            }.items()
        },
        coords={"instruction": ["IC", "VQ1"], "voxel": np.arange(4)},
    )
    truth = xr.Dataset(
        {
            "planted_model": ("voxel", ["m", "m", "m", "m", ""]),
            "planted_instruction": ("voxel", ["VQ1", "VQ1", "VQ1", "IC", ""]),
            "planted_layer": ("voxel", [1, 9, 9, 6, -1]),
            "region": ("voxel", ["PPA", "PPA", "PPA", "EBA", ""]),
        },
        # One voxel more than was analysed, in another order.
        coords={name: ("voxel", np.array([3, 1, 2, 0, 9]) + s) for s, name in enumerate("ijk")},
    )
    table = recovery_table(winners, match_voxels(truth, space), "m").set_index("roi")
    assert table.loc["all", ["n_planted", "n_reliable"]].tolist() == [4, 3]
    assert table.loc["all", "instruction_found"] == 1
    assert table.loc["PPA", "layer_found"] == pytest.approx(1 / 2)
    assert table.loc["EBA", "layer_found"] == 1
    assert table.loc["PPA", ["instruction_clear", "layer_in_interval"]].tolist() == [0.5, 0.5]
    assert table.loc["EBA", ["instruction_clear", "layer_in_interval"]].tolist() == [1, 1]
    with pytest.raises(ValueError, match="never planted"):
        match_voxels(truth.isel(voxel=slice(0, 2)), space)


def test_a_neighbouring_layer_is_found_and_the_next_is_not():
    layers = [3, 4, 5, 6, 7]
    winners = xr.Dataset(
        {"instruction_index": ("voxel", [0] * 5), "clear": ("voxel", [True] * 5)}
        | dict.fromkeys(("layer", "layer_low", "layer_high"), ("voxel", layers)),
        coords={"instruction": ["IC"], "voxel": np.arange(5)},
    )
    planted = {"model": "m", "instruction": "IC", "layer": 5}
    truth = xr.Dataset(
        {f"planted_{name}": ("voxel", [value] * 5) for name, value in planted.items()}
        | {"region": ("voxel", ["EBA"] * 5)}
    )
    table = recovery_table(winners, truth, "m").set_index("roi")
    assert table.loc["EBA", "layer_found"] == pytest.approx(3 / 5)
    assert table.loc["EBA", "median_layer_error"] == 1
