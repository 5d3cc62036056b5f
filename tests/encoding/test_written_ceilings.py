"""Both noise ceilings of a data set as it is written and read, against its simulated truth."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic import subjects as writer
from brainstruct.datasets.nsd.synthetic.settings import Brains, Experiment, Planted
from brainstruct.datasets.nsd.synthetic.stimuli import write_stimuli
from brainstruct.encoding.ceiling import ncsnr_ceiling
from brainstruct.encoding.cross_subject import (
    CrossSubjectOptions,
    cross_subject_ceiling,
    shared_images,
)
from nsd_study import index_of, prepare

# Two sessions are 500 images: three times each, and for subj07, scanned half as long, once
# or twice or thrice, and some never.
SESSIONS = {"subj01": 2, "subj02": 2, "subj05": 2, "subj07": 1}
SHARED = 400
WIDTH = 8
PLANTED = [
    Planted(roi="V1", model="toy", instruction="A", layer=2),
    Planted(roi="V2", model="toy", instruction="A", layer=3),
    Planted(roi="PPA", model="toy", instruction="B", layer=1),
]


def anatomy():
    """Three regions of 36 voxels in a block of cortex."""
    shape, dims = (10, 12, 8), ("i", "j", "k")
    cortex, label = np.zeros(shape, bool), np.zeros(shape, np.int16)
    cortex[1:9, 1:11, 1:7] = True
    for number in range(3):
        label[3:7, 2 + 3 * number : 5 + 3 * number, 2:5] = number + 1
    right = np.broadcast_to(np.arange(10)[:, None, None] >= 5, shape).astype(np.int8)
    return xr.Dataset(
        {"label": (dims, label), "cortex": (dims, cortex), "hemisphere": (dims, right)},
        coords={dim: np.arange(size) for dim, size in zip(dims, shape, strict=True)},
        attrs={"names": json.dumps({1: "V1", 2: "V2", 3: "PPA"})},
    )


def features(ids):
    """Every image's features, the same whoever saw it: what the brains share."""
    return {
        planted.key: xr.DataArray(
            np.stack(
                [
                    np.random.default_rng([place, stimulus]).standard_normal(WIDTH)
                    for stimulus in ids
                ]
            ),
            dims=("stimulus", "feature"),
            coords={"stimulus": ids},
        )
        for place, planted in enumerate(PLANTED)
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Subject -> responses, noise-free responses in the same order, planted voxels."""
    layout = Layout(tmp_path_factory.mktemp("nsd"))
    plan = Experiment(seed=1, sessions=SESSIONS, shared_images=SHARED, unique_images=500 - SHARED)
    write_stimuli(layout, plan, image_size=8)
    brains = Brains(planted=PLANTED, ncsnr=(0.4, 1.2), n_unlabelled=20)
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        drawn = []
        plant = writer.plant
        patch.setattr(writer, "plant", lambda *args: drawn.append(plant(*args)) or drawn[-1])
        for subject, sessions in SESSIONS.items():
            ids = index_of(layout, subject, sessions=sessions)["nsd_id"].to_numpy()
            writer.write_subject(layout, subject, anatomy(), features(ids), brains, sessions, 1)
            responses = prepare(layout, subject, format="hdf5")
            with xr.open_dataset(writer.truth_file(layout, subject)) as truth:
                row = {place: row for row, place in enumerate(zip(*places(truth), strict=True))}
                rows = [row[place] for place in zip(*places(responses), strict=True)]
                planted = truth["planted_layer"].values[rows] >= 0
                ncsnr = truth["ncsnr"].values[rows]
            voxels = drawn[-1]
            # Images as np.unique gives them; voxels of nsdgeneral in the order of the truth.
            signal = xr.DataArray(
                voxels.signal[:, voxels.general][:, rows],
                dims=("stimulus", "voxel"),
                coords={"stimulus": np.unique(ids)},
            ).sel(stimulus=ids)
            found[subject] = responses, signal, ncsnr, planted
    return found


def places(dataset):
    return [dataset[name].values.tolist() for name in "ijk"]


def perfect(responses, signal, images):
    """Correlation with the noise-free signal: what a perfect model reaches on these images."""
    a = responses["betas"].sel(stimulus=images).transpose("stimulus", "voxel").values
    b = signal.sel(stimulus=images).values
    a, b = a - a.mean(0), b - b.mean(0)
    with np.errstate(invalid="ignore"):
        return (a * b).sum(0) / np.sqrt((a**2).sum(0) * (b**2).sum(0))


@pytest.mark.parametrize("subject", ["subj01", "subj07"])
def test_ncsnr_ceiling_is_the_true_one(study, subject):
    """With three repetitions of every image (subj01) and with one to three (subj07)."""
    responses, signal, ncsnr, planted = study[subject]
    test = (responses["test_set"] == "shared").values
    repetitions = responses["repetitions"].values[test]
    assert set(repetitions) == ({3} if subject == "subj01" else {1, 2, 3})
    found = ncsnr_ceiling(responses["ncsnr"].values, repetitions)[planted]
    by_definition = ncsnr_ceiling(ncsnr, repetitions)[planted]
    reached = perfect(responses, signal, responses["stimulus"].values[test])[planted]
    for truth in (by_definition, reached):
        assert np.median(found - truth) == pytest.approx(0, abs=0.01)
        assert np.mean(found - truth) == pytest.approx(0, abs=0.03)
        # subj07 saw only some sixty images thrice, which are what ncsnr is computed from.
        assert np.median(np.abs(found - truth)) < (0.02 if subject == "subj01" else 0.05)


@pytest.mark.parametrize("subject", ["subj01", "subj05"])
def test_cross_subject_ceiling_is_the_true_one(study, subject):
    """Other brains see the same signal, so their ceiling is that of a perfect model."""
    others = [name for name in study if name != subject]
    images = shared_images(
        [
            responses["stimulus"].values[responses["test_set"].values == "shared"]
            for responses, *_ in study.values()
        ]
    )
    betas = {
        name: responses["betas"].sel(stimulus=images).transpose("stimulus", "voxel").values
        for name, (responses, *_) in study.items()
    }
    options = CrossSubjectOptions(n_bootstraps=30, log10_alphas=np.linspace(-2, 3, 6))
    responses, signal, ncsnr, planted = study[subject]
    counts = responses["repetitions"].sel(stimulus=images).values
    sources = {name: betas[name] for name in others}
    found = cross_subject_ceiling(betas[subject], sources, options)
    estimate = found["ceiling_cross_subject"].values[planted]
    reached = perfect(responses, signal, images)[planted]
    for truth in (ncsnr_ceiling(ncsnr, counts)[planted], reached):
        assert np.isfinite(estimate).all()
        assert np.mean(estimate - truth) == pytest.approx(0, abs=0.03)
        assert np.median(estimate - truth) == pytest.approx(0, abs=0.03)
    # What was measured, before it is extrapolated, is far below.
    assert found["r_reached"].values[-1, planted].mean() < reached.mean() - 0.04
    # Voxels that carry noise alone have one as well, of either sign, within its error.
    silent = found.isel(voxel=np.flatnonzero(~planted))
    assert (silent["ceiling_cross_subject"] < 0).any()
    assert (silent["ceiling_cross_subject"] >= 2 * silent["standard_error"]).mean() < 0.25
    assert (estimate >= 2 * found["standard_error"].values[planted]).mean() > 0.95
    exponential = cross_subject_ceiling(
        betas[subject], sources, CrossSubjectOptions(
            n_bootstraps=10, log10_alphas=np.linspace(-2, 3, 6), curve="exponential",
            extrapolate_images=False,
        ),
    )["ceiling_cross_subject"].values[planted]  # fmt: skip
    assert exponential.mean() < estimate.mean() - 0.02
