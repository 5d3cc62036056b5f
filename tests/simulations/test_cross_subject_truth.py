"""The noise ceiling from other brains: alignment of a region, and voxels without signal."""

from __future__ import annotations

import numpy as np
import pytest

from brainstruct.encoding.ceiling import ncsnr_ceiling
from brainstruct.encoding.cross_subject import CrossSubjectOptions, cross_subject_ceiling

ALIGNMENT = 0.6
OPTIONS = CrossSubjectOptions(
    folds=5, inner_folds=2, log10_alphas=(-1, 0.5, 2, 3.5), n_bootstraps=40
)


def subjects(n_images, n_sources, *, ratio, width, n_voxels=80, seed=0):
    """A target of which every second voxel is silent; sources with `ratio` times the noise's SD."""
    random = np.random.default_rng([seed, n_images, n_sources, width])
    latent = random.standard_normal((n_images, width))

    def signal():
        drive = latent @ random.standard_normal((width, n_voxels))
        return drive / drive.std(0)

    strength = random.uniform(0.4, 1.4, n_voxels) * (np.arange(n_voxels) % 2)
    noise = random.standard_normal((1 + n_sources, n_images, n_voxels))
    target = signal() * strength + noise[0]
    sources = {
        f"s{at}": (signal() * ratio + noise[at]).astype(np.float32)
        for at in range(1, 1 + n_sources)
    }
    return target.astype(np.float32), sources, ncsnr_ceiling(strength, [1]), random


@pytest.mark.parametrize(
    ("n_images", "n_sources", "ratio", "width"),
    [
        (400, 3, 1.0, 8),
        *(
            pytest.param(*case, marks=pytest.mark.long)
            for case in (
                (1000, 3, 1.0, 8), (1000, 3, 1.0, 24), (1000, 3, 0.5, 8), (1000, 2, 1.0, 8),
                (500, 3, 1.0, 8), (500, 3, 1.0, 24), (500, 3, 0.5, 8), (500, 2, 1.0, 8),
            )
        ),
    ],
)  # fmt: skip
def test_a_region_has_its_alignment_and_silent_voxels_are_left_out(
    n_images, n_sources, ratio, width, tell
):
    target, sources, truth, random = subjects(n_images, n_sources, ratio=ratio, width=width)
    found = cross_subject_ceiling(target, sources, OPTIONS)
    ceiling, error = found["ceiling_cross_subject"].values, found["standard_error"].values
    kept = ceiling >= 2 * error
    silent = truth == 0
    r = ALIGNMENT * truth + random.standard_normal(truth.size) / np.sqrt(n_images)
    region = r[kept].sum() / ceiling[kept].sum()
    bias = float((ceiling - truth)[~silent].mean())
    tell(
        f"{n_images} images, {n_sources} sources of signal : noise {ratio}, {width} dimensions",
        f"alignment {ALIGNMENT:.2f}",
        f"{region:.3f}; ceiling {bias:+.3f}; silent voxels kept {100 * kept[silent].mean():.0f} %, "
        f"others {100 * kept[~silent].mean():.0f} %",
    )
    assert region == pytest.approx(ALIGNMENT, abs=0.04)
    assert kept[silent].mean() <= 0.15  # of 40 voxels; 5 or 6 % over many runs
    assert kept[~silent].mean() >= 0.8
    # The signed value is kept, so that silent voxels are 0 on average.
    assert (ceiling < 0).any()
    assert abs(ceiling[silent].mean()) < 0.04
