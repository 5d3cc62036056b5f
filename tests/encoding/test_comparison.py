from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import binom, false_discovery_control

from brainstruct.dictionary.describe import describe
from brainstruct.encoding.comparison import ComparisonOptions, cohen_q, compare_groups
from brainstruct.encoding.fdr import (
    benjamini_hochberg,
    subjects_note,
    wilcoxon_floor,
    wilcoxon_p,
)
from brainstruct.encoding.regions import Region
from brainstruct.encoding.resampling import Resampler, image_weights
from brainstruct.encoding.scores import pearson
from brainstruct.encoding.subjects import (
    GROUP,
    _q_values,
    comparison_notes,
    comparison_table,
    subject_means,
)
from brainstruct.store.arrays import write_dataset
from brainstruct.store.tables import read_table
from ceilings import usable
from tabulate_comparisons import tabulate_comparisons


def study(n_images=300, n_voxels=40, gain=(1.0, 0.5), seed=0, members=1):
    """Truth, and two groups of predictions with more or less of it."""
    rng = np.random.default_rng(seed)
    ids, voxels = np.arange(n_images) * 3, np.arange(n_voxels)
    truth = rng.standard_normal((n_images, n_voxels)).astype(np.float32)
    groups = {}
    for name, strength in zip("ab", gain, strict=True):
        groups[name] = [
            xr.DataArray(
                (strength * truth + rng.standard_normal(truth.shape)).astype(np.float16),
                dims=("stimulus", "voxel"),
                coords={"stimulus": ids, "voxel": voxels},
            )
            for _ in range(members)
        ]
    truth = xr.DataArray(
        truth, dims=("stimulus", "voxel"), coords={"stimulus": ids, "voxel": voxels}
    )
    return truth, groups


def compared(truth, groups, pairs=(("a", "b"),), regions=None, ceiling=None, **options):
    n = truth.sizes["voxel"]
    regions = regions or [Region("mask", "all", np.ones(n, dtype=bool))]
    if ceiling is None:
        ceiling = xr.DataArray(np.ones(n, np.float32), dims="voxel")
    options = {"n_draws": 200, "voxels_at_once": 17} | options
    return compare_groups(
        truth,
        groups,
        list(pairs),
        usable(ceiling),
        regions,
        options=ComparisonOptions(**options),
    ).assign_attrs(test_set="shared")


def test_a_ceiling_of_zero_spoils_no_region():
    truth, groups = study()
    ceiling = xr.DataArray(np.ones(40, np.float32), dims="voxel")
    ceiling[3] = 0
    halves = [Region("roi", str(half), np.arange(40) // 20 == half) for half in (0, 1)]
    found = compared(truth, groups, regions=halves, ceiling=ceiling)
    assert found["n_excluded"].values.tolist() == [1, 0]
    assert np.isfinite(found["region_a"]).all()
    assert np.isfinite(found["region_draws"]).all()
    assert np.isnan(found["q"].values[:, 3]).all()


def test_weights_belong_to_images():
    one = image_weights([3, 8, 5], 50, seed=1)
    other = image_weights([8, 70, 3], 50, seed=1)
    np.testing.assert_array_equal(one[:, 0], other[:, 2])
    np.testing.assert_array_equal(one[:, 1], other[:, 0])
    assert (image_weights([3], 50, seed=2)[:, 0] != one[:, 0]).any()
    many = image_weights(np.arange(2000), 100, seed=0)
    assert many.mean() == pytest.approx(1, abs=0.01)
    assert many.var() == pytest.approx(1, abs=0.02)


def test_weighted_correlation_is_that_of_repeated_images():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((30, 4)).astype(np.float32) + 100
    guess = (truth * 2 + rng.standard_normal((30, 4))).astype(np.float32)
    weights = rng.poisson(1.0, (6, 30)).astype(np.float32)
    found = Resampler(truth, weights).correlate(guess)
    for draw, counts in enumerate(weights.astype(int)):
        rows = np.repeat(np.arange(30), counts)
        np.testing.assert_allclose(found[draw], pearson(truth[rows], guess[rows]), atol=1e-5)
    guess[:, 0], truth[:, 1] = 3, 3
    found = Resampler(truth, weights).correlate(guess)
    assert (found[:, 0] == 0).all()
    assert np.isnan(found[:, 1]).all()


def test_a_real_difference_is_found_with_its_size():
    truth, groups = study(gain=(1.0, 0.5), members=3)
    found = compared(truth, groups)
    expected = 1 / np.sqrt(2) - 0.5 / np.sqrt(1.25)
    assert found["difference"].values.mean() == pytest.approx(expected, abs=0.02)
    assert (found["q"] < 0.05).all()
    assert (found["ci_low"] > 0).all()
    assert (found["region_share_better"] == 1).all()
    a, b = found["region_a"].values[0, 0, 0], found["region_b"].values[0, 0, 0]
    assert a - b == pytest.approx(float(found["difference"].mean()), abs=1e-5)
    np.testing.assert_allclose(
        found["cohen_q"], cohen_q(found["r_a"].values, found["r_b"].values), rtol=1e-4
    )
    swapped = compared(truth, groups, pairs=[("b", "a")])
    np.testing.assert_allclose(swapped["difference"], -found["difference"], atol=1e-6)
    np.testing.assert_allclose(swapped["p"], found["p"], rtol=1e-5)


@pytest.mark.parametrize("gain", [0.0, 0.7])
def test_null_differences_are_calibrated(gain):
    """With the NSD's 1,000 test images; with 100, 5 % become up to 7 %."""
    truth, groups = study(n_images=1000, n_voxels=2000, gain=(gain, gain), seed=3)
    found = compared(truth, groups, n_draws=400, voxels_at_once=500)
    low, high = binom.interval(0.99, 2000, 0.05)
    assert low <= int((found["p"] < 0.05).sum()) <= high
    covered = ((found["ci_low"] <= 0) & (found["ci_high"] >= 0)).mean()
    assert float(covered) == pytest.approx(0.95, abs=0.02)


def test_fdr_hardly_ever_rejects_under_the_null():
    runs = 0
    for seed in range(100):
        truth, groups = study(n_images=200, n_voxels=100, gain=(0.5, 0.5), seed=100 + seed)
        runs += bool((compared(truth, groups, voxels_at_once=100)["q"] <= 0.05).any())
    assert runs <= binom.ppf(0.99, 100, 0.05)


def test_identical_predictions_do_not_differ():
    truth, groups = study()
    groups["b"] = groups["a"]
    found = compared(truth, groups)
    assert (found["difference"] == 0).all()
    assert (found["p"] == 1).all()


def test_regions_use_reliable_voxels_and_the_ceiling():
    truth, groups = study(n_voxels=6)
    ceiling = xr.DataArray(np.array([0.5, 1, 0.01, np.nan, 1, 1], np.float32), dims="voxel")
    inside = np.array([1, 1, 1, 1, 0, 0], bool)
    regions = [Region("floc", "FFA", inside), Region("floc", "none", np.zeros(6, bool))]
    found = compared(truth, groups, regions=regions, ceiling=ceiling)
    r = found["r_a"].values[0]
    assert found["n_excluded"].values.tolist() == [2, 0]
    assert float(found["region_a"].sel(measure="r")[0, 0]) == pytest.approx(r[:2].mean(), abs=1e-6)
    assert float(found["region_a"].sel(measure="alignment")[0, 0]) == pytest.approx(
        (r[0] + r[1]) / 1.5, abs=1e-6
    )
    assert found["region_draws"].sel(region=1).count() == 0
    # Of two voxels with differences of one sign: two of four outcomes are as extreme.
    assert (found["difference"].values[0, :2] > 0).all()
    np.testing.assert_array_equal(found["region_wilcoxon_p"].values, [[0.5, np.nan]])
    assert np.isnan(found["q"].values[0, 2:4]).all()


def test_a_voxel_that_never_responds_is_left_out():
    truth, groups = study(n_voxels=5)
    truth[:, 2] = 1
    found = compared(truth, groups)
    assert int(found["n_excluded"][0]) == 1
    assert np.isfinite(found["region_a"]).all()
    assert np.isnan(found["p"].values[0, 2])


def test_comparisons_of_other_images_or_names_are_refused():
    truth, groups = study()
    with pytest.raises(ValueError, match="another stimulus"):
        compared(truth.assign_coords(stimulus=truth["stimulus"] + 1), groups)
    with pytest.raises(ValueError, match=r"\['c'\]"):
        compared(truth, groups, pairs=[("a", "c")])


def test_group_of_subjects():
    regions = [Region("mask", "all", np.ones(40, bool)), Region("floc", "FFA", np.arange(40) < 9)]
    comparisons = {
        f"subj0{s}": compared(*study(seed=s, gain=(0.7, 0.55)), regions=regions)
        for s in range(1, 5)
    }
    comparisons["subj04"] = comparisons["subj04"].isel(region=[0])
    table = comparison_table(comparisons)
    assert len(table) == 2 * (3 * 2 + 1) + 4
    alike = (table["measure"] == "r") & (table["label"] == "all")
    points, group = (table[alike & (table["subject"] != GROUP)],
                     table[alike & (table["subject"] == GROUP)].iloc[0])  # fmt: skip
    assert group["difference"] == pytest.approx(points["difference"].mean())
    assert group["se"] < points["se"].mean()
    assert group["n_better"] == group["n_subjects"] == 4
    assert group["n_significant"] == 4
    assert group["cohen_q"] == pytest.approx(points["cohen_q"].mean())
    assert points["cohen_q"].iloc[0] == pytest.approx(
        float(comparisons["subj01"]["cohen_q"].mean()), rel=1e-5
    )
    assert group["wilcoxon_subjects_p"] == group["wilcoxon_subjects_floor"] == 0.125
    lacking = table[(table["subject"] == GROUP) & (table["label"] == "FFA")]
    assert (lacking["n_subjects"] == 3).all()
    assert table["q"].notna().all()
    assert "p = 0.125" in comparison_notes(4, [1000], 1000)


def test_notes_say_how_many_test_images_there_were():
    assert "the 1000 test images" in comparison_notes(4, [1000, 1000], 200)
    assert "the 515 to 1000 test images" in comparison_notes(4, {1000, 515, 930}, 200)


def test_notes_cover_the_comparisons_of_all_models(tmp_path):
    paths = [tmp_path / f"{model}.nc" for model in "xy"]
    for path, n_images in zip(paths, (60, 40), strict=True):
        write_dataset(compared(*study(n_images=n_images, n_voxels=5)), path, provenance={})
    tabulate_comparisons(
        comparisons=paths,
        subjects=["subj01"],
        compared=["x", "y"],
        table=tmp_path / "table.tsv",
        notes=tmp_path / "notes.txt",
    )
    assert "the 40 to 60 test images" in (tmp_path / "notes.txt").read_text()
    table = read_table(tmp_path / "table.tsv")
    assert table.columns[:3].tolist() == ["model", "subject", "test_set"]
    assert set(table["test_set"]) == {"shared"}


@pytest.mark.parametrize("table", ["model_comparisons", "instruction_comparisons"])
def test_it_is_said_which_layers_are_compared(table):
    told = describe(f"tables/{table}.tsv", ["score_a", "score_b"])
    assert all("best layer" in entry["Description"] for entry in told.values())


def test_subjects_that_disagree_do_not_count_as_significant():
    comparisons = {
        "subj01": compared(*study(seed=1, gain=(2.0, 0.2))),
        "subj02": compared(*study(seed=2, gain=(0.2, 0.8))),
        "subj03": compared(*study(seed=3, gain=(1.0, 1.0))),
    }
    table = comparison_table(comparisons)
    group = table[(table["subject"] == GROUP) & (table["measure"] == "r")].iloc[0]
    assert group["difference"] > 0
    assert (group["n_better"], group["n_significant"], group["n_subjects"]) == (2, 1, 3)


def test_one_subject_is_a_group_of_one():
    table = comparison_table({"subj01": compared(*study())})
    group = table[table["subject"] == GROUP].iloc[0]
    assert group["difference"] == pytest.approx(table.iloc[0]["difference"])
    assert group["wilcoxon_subjects_floor"] == 1


def test_subject_means():
    table = pd.DataFrame(
        {
            "subject": ["s1", "s2", "s1", "s2"],
            "label": ["V1", "V1", "FFA", "FFA"],
            "n_voxels": [5, 6, 7, 8],
            "r": [0.1, 0.3, 0.5, np.nan],
        }
    )
    found = subject_means(table, ["r"]).set_index("label")
    assert found.loc["V1", "r_mean"] == pytest.approx(0.2)
    assert found.loc["V1", "r_sem"] == pytest.approx(0.1)
    assert found.loc["FFA", "r_n_subjects"] == 1
    assert np.isnan(found.loc["FFA", "r_sem"])


def test_small_statistics():
    np.testing.assert_allclose(benjamini_hochberg([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])
    assert np.isnan(benjamini_hochberg([np.nan])).all()
    drawn = np.random.default_rng(4).uniform(size=1000) ** 3
    for p in (drawn, drawn.round(2), np.array([0.0, 1.0, 1.0])):  # without and with ties
        np.testing.assert_array_equal(benjamini_hochberg(p), false_discovery_control(p))
    families = [[0.01, np.nan, 0.04], [0.5, 0.5, 0.01], [np.nan, np.nan, np.nan]]
    by_row = benjamini_hochberg(families, axis=-1)
    np.testing.assert_array_equal(by_row, [benjamini_hochberg(row) for row in families])
    np.testing.assert_array_equal(benjamini_hochberg(np.transpose(families), axis=0), by_row.T)
    assert wilcoxon_floor(8) == 2 / 256
    assert wilcoxon_p([0.1, 0.2, 0.3, 0.4]) == 0.125
    assert wilcoxon_p([0, 0]) == 1
    assert np.isnan(wilcoxon_p([]))
    assert "no difference" in subjects_note(4)
    assert "can be reached" in subjects_note(8)


@pytest.mark.filterwarnings("error")
def test_constant_columns_have_no_correlation_and_are_no_reason_to_warn():
    columns = np.array([[1, 7, 2], [2, 7, 4], [4, 7, 9]], np.float32)
    resampler = Resampler(columns, np.array([[1, 1, 1], [2, 0, 1]], np.float32))
    np.testing.assert_array_equal(
        np.isnan(resampler.correlate(columns)), [[False, True, False]] * 2
    )
    assert resampler.correlate(columns[:, [1, 0, 1]])[:, [0, 2]].tolist() == [[0, 0], [0, 0]]


def test_sure_families_do_not_let_labels_pass():
    """Regions lie within each other: the mask, families, labels are tested each for itself."""
    labels = np.array(["all", "all", "all", "all", "V1", "V2", "V3", "V4"])
    p = np.array([[[1e-9, 1e-9, 1e-9, 1e-9, 0.02, 0.5, 0.6, 0.7]]])
    q = _q_values(p, labels)
    # Among all eight, 0.02 would be 0.032.
    np.testing.assert_allclose(q[0, 0, 4], 0.08)
    np.testing.assert_allclose(q[0, 0, :4], 1e-9)
    np.testing.assert_array_equal(_q_values(p[..., :1], labels[:1]), p[..., :1])
