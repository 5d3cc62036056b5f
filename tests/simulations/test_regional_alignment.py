"""Regional alignment where the truth is .60: voxels respond well, badly, or half of them not.

ncsnr, ceilings and scores are made of the same trials, as in a data set: every image is
seen three times, responses are scaled to variance 1, and the ncsnr is read off the variance
between the trials of an image.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.brain.labels import names_as_text
from brainstruct.encoding.ceiling import ncsnr_ceiling
from brainstruct.encoding.comparison import ComparisonOptions, compare_groups
from brainstruct.encoding.regions import regions, roi_table
from brainstruct.encoding.scores import pearson
from ceilings import usable

IMAGES, TESTED, VOXELS, TRUTH = 8000, 1000, 160, 0.60
REGIONS = ("well measured", "half silent", "nsdgeneral-like")


def true_ncsnr(random):
    """Signal-to-noise ratios of the voxels of each region."""
    well = random.uniform(0.5, 1.2, VOXELS)
    half = np.where(np.arange(VOXELS) < VOXELS // 2, 0, random.uniform(0.2, 1.0, VOXELS))
    return np.concatenate([well, half, random.gamma(1.2, 0.22, VOXELS)])


@pytest.fixture(scope="module")
def study():
    """Ceilings that are estimated, measured responses and predictions of the test images."""
    random = np.random.default_rng(5)
    ncsnr = true_ncsnr(random)
    found, measured, predicted = [], [], []
    for ratio in ncsnr:
        signal = random.standard_normal(IMAGES)
        trials = ratio * signal + random.standard_normal((3, IMAGES))
        trials /= trials.std()
        within = trials.var(0, ddof=1).mean()
        found.append(np.sqrt(max(1 - within, 0) / within))
        measured.append(trials[:, :TESTED].mean(0))
        guess = TRUTH * signal[:TESTED] + np.sqrt(1 - TRUTH**2) * random.standard_normal(TESTED)
        predicted.append(guess)
    ceiling = ncsnr_ceiling(found, np.full(TESTED, 3))
    # What 95 % of silent voxels stay below.
    d = 1.645 * np.sqrt(1 / IMAGES - 2 / (3 * IMAGES))
    threshold = float(ncsnr_ceiling(np.sqrt(d / (1 - d)), [3]))
    space = xr.Dataset(
        {"roi_label": (("roi", "voxel"), 1 + np.arange(3 * VOXELS)[None] // VOXELS)},
        coords={"roi": ["region"], "voxel": np.arange(3 * VOXELS)},
        attrs={"roi_labels": names_as_text({"region": dict(enumerate(REGIONS, 1))})},
    )
    columns = [np.array(part, np.float32).T for part in (measured, predicted)]
    return xr.DataArray(ceiling, dims="voxel"), threshold, space, *columns


def test_tables_have_the_truth(study):
    ceiling, threshold, space, measured, predicted = study
    r = xr.DataArray(pearson(measured, predicted), dims="voxel")
    divisor = usable(ceiling, threshold)
    table = roi_table(r, divisor, space, "mask").set_index("label").loc[list(REGIONS)]
    np.testing.assert_allclose(table["alignment"], TRUTH, atol=0.02)
    # A mean of ratios is ruled by what is hardly known.
    assert (table["voxel_alignment"] - TRUTH).abs().max() > 0.02
    assert (r / ceiling).where(ceiling >= 0.05).max() > 1.1


def test_comparisons_and_their_bootstrap_have_the_truth(study):
    """Against predictions of nothing the difference is the alignment itself."""
    ceiling, threshold, space, measured, predicted = study
    random = np.random.default_rng(6)
    dims, coords = ("stimulus", "voxel"), {"stimulus": np.arange(TESTED), "voxel": space["voxel"]}
    spaces = {
        name: [xr.DataArray(values.astype(np.float32), dims=dims, coords=coords)]
        for name, values in (("model", predicted), ("none", random.standard_normal(measured.shape)))
    }
    found = compare_groups(
        xr.DataArray(measured, dims=dims, coords=coords),
        spaces,
        [("model", "none")],
        usable(ceiling, threshold),
        list(regions(space, "mask")),
        options=ComparisonOptions(n_draws=200),
    )
    found = found.sel(measure="alignment").squeeze("comparison")
    kept = found["label"].isin(REGIONS)
    np.testing.assert_allclose(found["region_a"][kept], TRUTH, atol=0.02)
    np.testing.assert_allclose(found["region_draws"][kept].mean("draw"), TRUTH, atol=0.02)
