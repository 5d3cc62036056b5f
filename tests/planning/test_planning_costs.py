"""Times against arithmetic by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planned import build
from torch.utils.flop_counter import FlopCounterMode

from brainstruct.encoding import banded
from brainstruct.encoding.banded import BandedOptions, fit_pair
from brainstruct.encoding.components import Components
from brainstruct.encoding.cross_subject import CrossSubjectOptions
from brainstruct.encoding.preset import ALPHAS, FOLDS
from brainstruct.planning import solvers
from brainstruct.planning.costs import (
    CROSS_SUBJECT_PENALTIES,
    PRESET_FOLDS,
    PRESET_PENALTIES,
    embed_flops,
    job_cost,
    partition_flops,
    resampling_flops,
    ridge_flops,
)
from brainstruct.planning.jobs import Job
from brainstruct.planning.solvers import banded_flops, gram_flops, himalaya_flops
from solvers import fit_oota2025

EMBED = Job(
    "embed",
    outputs=("a.nc",),
    wildcards={"model": "instructblip", "block": "shared-000"},
    gpus=1,
)
FIT = Job(
    "fit_ridge",
    inputs=("responses", "embedding"),
    outputs=("layer-0.nc", "layer-1.nc"),
    wildcards={"subject": "subj01", "model": "clip-image"},
    threads=4,
)


def seconds(job, amounts, size=0.0):
    return job_cost(job, amounts, lambda name: size).seconds


def test_arithmetic_of_an_answer(amounts):
    before, token = embed_flops("instructblip", amounts)
    assert before == pytest.approx(2 * (1.17e9 * 257 + 6.74e9 * (32 + 30)))
    assert token == pytest.approx(2 * 6.74e9)


def test_time_of_an_embedding(amounts):
    # Decoding at batch 64 is limited by reading the weights: 13.48 GB at 1,200 GB/s.
    step = 13.48e9 / 1200e9 / 64
    image = 2 * (1.17e9 * 257 + 6.74e9 * 62) / 120e12 + 33 * step
    written = amounts.output_bytes(EMBED) / 400e6
    expected = 3 + 2 * (6.74e9 + 1.17e9) / 1e9 + 1000 * image + written
    assert seconds(EMBED, amounts) == pytest.approx(expected)


def test_small_batches_cost_more_and_encoders_decode_nothing(paper_config, amounts):
    paper_config["embedding"]["batch_size"] = 1
    assert seconds(EMBED, build(paper_config)) > 9 * seconds(EMBED, amounts)
    encoder = Job("embed", outputs=("a",), wildcards={"model": "vit-h", "block": "shared-000"})
    assert seconds(encoder, amounts) < 20


def test_two_instructions_in_a_job_load_the_model_once(amounts):
    both = Job("embed", outputs=("a", "b"), wildcards=dict(EMBED.wildcards), gpus=1)
    load = 2 * (6.74e9 + 1.17e9) / 1e9
    assert seconds(both, amounts) == pytest.approx(2 * seconds(EMBED, amounts) - 3 - load)


def test_time_of_a_fit(amounts):
    flops = gram_flops(9000, 1024, 15_724, penalties=25, folds=5)
    assert ridge_flops(FIT, amounts) == flops
    files = 2 * 50e6 + amounts.output_bytes(FIT)
    expected = 3 + 2 * 0.04 + 2 * flops / (90e9 * 4) + files / 400e6
    assert seconds(FIT, amounts, size=50e6) == pytest.approx(expected)


def test_a_fit_on_a_gpu_goes_by_the_gpu(amounts):
    here, there = FIT, replace(FIT, gpus=1)
    saved = seconds(here, amounts) - seconds(there, amounts)
    flops = ridge_flops(here, amounts), ridge_flops(there, amounts)
    assert saved == pytest.approx(2 * flops[0] / (4 * 90e9) - 2 * flops[1] / 10e12)
    assert saved > 20
    # What oneDNN gains on a CPU is no gain of a GPU.
    assert 1.5 < flops[1] / flops[0] < 2.3


def test_penalties_beyond_those_worked_out_are_free(paper_config, amounts):
    paper_config["encoding"]["alphas"]["count"] = 26
    some = ridge_flops(FIT, build(paper_config))
    paper_config["encoding"]["alphas"]["count"] = 60
    assert ridge_flops(FIT, build(paper_config)) == some > ridge_flops(FIT, amounts)


@pytest.mark.parametrize(
    ("shape", "measured"), [((9000, 4096, 15_684), 146), ((4500, 1280, 5189), 12.9)]
)
def test_the_gram_solver_takes_what_was_measured(shape, measured):
    """Seconds of CPU of a layer of the rehearsals (docs/cost.md), start and reading apart."""
    assert gram_flops(*shape, penalties=25, folds=5) / 90e9 == pytest.approx(measured, rel=0.1)
    # More penalties than that are interpolated.
    more = gram_flops(*shape, penalties=60, folds=5)
    assert more == gram_flops(*shape, penalties=26, folds=5)


def test_himalaya_takes_as_much_longer_as_was_measured():
    # 4.4 times as long as the gram solver, before its products were oneDNN's: 15.2 s at 90 GFLOP/s.
    found = himalaya_flops(3000, 2048, 5000, 20, 5) / 90e9
    assert found == pytest.approx(4.4 * 15.2, rel=0.05)


def counted(fit):
    """Arithmetic of the matrix products of a call; decompositions are not counted."""
    with FlopCounterMode(display=False) as counter:
        fit()
    return counter.get_total_flops()


@pytest.mark.parametrize(
    ("n", "p", "voxels"), [(300, 200, 500), (300, 200, 1000), (300, 100, 500), (150, 200, 500)]
)
@pytest.mark.filterwarnings("ignore:Solving ridge is slower")
def test_the_preset_is_counted_as_it_fits(n, p, voxels):
    assert (ALPHAS.size, FOLDS) == (PRESET_PENALTIES, PRESET_FOLDS)
    random = np.random.default_rng(0)
    X, X_test, Y, Y_test = (
        random.standard_normal(shape).astype(np.float32)
        for shape in ((n, p), (50, p), (n, voxels), (50, voxels))
    )
    found = counted(lambda: fit_oota2025(X, Y, X_test, Y_test))
    estimate = himalaya_flops(n, p, voxels, PRESET_PENALTIES, PRESET_FOLDS)
    assert found == pytest.approx(estimate, rel=0.15)


def test_a_preset_replaces_penalties_and_solver(paper_config, amounts):
    paper_config["encoding"]["preset"] = "oota2025"
    preset = ridge_flops(FIT, build(paper_config))
    assert preset == himalaya_flops(9000, 1024, 15_724, 60, 5) > 5 * ridge_flops(FIT, amounts)
    paper_config["encoding"]["preset"] = None
    paper_config["encoding"]["solver"] = "himalaya"
    paper_config["encoding"]["alphas"]["count"] = 60
    assert ridge_flops(FIT, build(paper_config)) == preset
    paper_config["encoding"]["alphas"]["count"] = 20
    assert ridge_flops(FIT, build(paper_config)) == pytest.approx(preset / 3, rel=0.1)


@pytest.mark.parametrize(
    ("n", "components", "voxels", "penalties", "shares", "folds"),
    [
        (500, 40, 800, 20, 3, 5),
        (500, 40, 1600, 20, 3, 5),
        (500, 80, 1600, 20, 3, 5),
        (500, 40, 800, 60, 3, 5),
        (1000, 40, 800, 20, 3, 5),
        (500, 40, 800, 20, 1, 3),
    ],
)
def test_banded_ridge_is_counted_as_it_fits(
    monkeypatch, n, components, voxels, penalties, shares, folds
):
    # Neither products of oneDNN nor decompositions are counted; a triangle has several blocks.
    monkeypatch.setattr("torch.backends.mkldnn.is_available", lambda: False)
    monkeypatch.setattr(solvers, "_EIGEN_FLOPS", 0.0)
    assert solvers.BLOCK == banded._BLOCK
    monkeypatch.setattr(solvers, "BLOCK", 16)
    monkeypatch.setattr(banded, "_BLOCK", 16)
    random = np.random.default_rng(0)

    def normal(rows, columns):
        return random.standard_normal((rows, columns)).astype(np.float32)

    bands = [
        Components(normal(n, components), normal(50, components), components, 1.0) for _ in "ab"
    ]
    options = BandedOptions(
        np.logspace(0, 3, penalties), np.linspace(0.2, 0.8, shares).tolist(), folds
    )
    found = counted(lambda: fit_pair(*bands, normal(n, voxels), normal(50, voxels), options))
    estimate = banded_flops(n, components, voxels, penalties, shares, folds, faster=1.0)
    assert found == pytest.approx(estimate, rel=0.05)


def test_weights_and_a_block_of_states_are_held(paper_config, amounts):
    written = amounts.output_bytes(EMBED)
    states = 2 * written  # and once more as a file to be
    memory = job_cost(EMBED, amounts, lambda name: 0.0).memory_mb
    assert memory == pytest.approx(600 + (7.91e9 * 2 + states) / 1e6)
    both = Job("embed", outputs=("a", "b"), wildcards=dict(EMBED.wildcards), gpus=1)
    assert job_cost(both, amounts, lambda name: 0.0).memory_mb == pytest.approx(memory)
    paper_config["embedding"]["device"] = "cpu"  # in single precision
    on_cpu = job_cost(EMBED, build(paper_config), lambda name: 0.0).memory_mb
    # Beside their file, which is mapped while they are read.
    mapped = amounts.networks["instructblip"].download_bytes
    assert on_cpu - memory == pytest.approx((7.91e9 * 2 + mapped) / 1e6)


@pytest.mark.parametrize(("weights", "bytes_each"), [("4bit", 0.5), ("8bit", 1.0)])
def test_packed_weights_are_read_faster_and_held_in_less(
    paper_config, amounts, weights, bytes_each
):
    paper_config["models"][0]["weights"] = weights
    packed = build(paper_config)
    whole_mb, packed_mb = (
        job_cost(EMBED, one, lambda name: 0.0).memory_mb for one in (amounts, packed)
    )
    assert whole_mb - packed_mb == pytest.approx(7.91e9 * (2 - bytes_each) / 1e6)
    step = max(6.74e9 * bytes_each / 1200e9 / 64, 2 * 6.74e9 / 120e12)  # arithmetic is the limit
    saved = 1000 * 33 * (13.48e9 / 1200e9 / 64 - step)
    assert seconds(EMBED, amounts) - seconds(EMBED, packed) == pytest.approx(saved)


def test_thinking_takes_as_long_as_it_may(paper_config, amounts):
    paper_config["models"][0]["thinking_tokens"] = 33
    longer = seconds(EMBED, build(paper_config)) - seconds(EMBED, amounts)
    assert longer == pytest.approx(1000 * 33 * 13.48e9 / 1200e9 / 64)


SUBJECT = {"subject": "subj01", "model": "idefics"}
"""1,000 test images and 15,724 voxels are drawn 1,000 times."""


def products(job, amounts):
    """Products of draws, test images and voxels that a job amounts to."""
    return resampling_flops(job, amounts) / (2 * 1000 * 1000 * 15_724)


def test_comparisons_grow_with_predictions_and_pairs(amounts):
    two = Job("compare_instructions", ("r", "c", *"ab"), ("x",), SUBJECT)
    # Ten instructions make 45 pairs, each with the quantiles of its draws.
    assert products(two, amounts) == pytest.approx(3 * 2 + 2 + 45 * 1.125)
    models = Job("compare_models", ("r", "c", *map(str, range(63))), ("x",), SUBJECT)
    pairs = len(amounts.study.compared_models)
    assert products(models, amounts) == pytest.approx(3 * 63 + 2 + pairs * 1.125)
    assert amounts.output_bytes(models) == pytest.approx(
        pairs * (44 * 15_724 + 32 * 1000 * 31) + 15_724 * 36 + 16_000
    )
    assert job_cost(models, amounts, lambda name: 64e6).memory_mb < 600  # 430 were measured


def test_a_permutation_costs_a_product(amounts):
    job = Job("assess_scores", ("r", "c", *"ab"), ("x",), SUBJECT)
    assert products(job, amounts) == pytest.approx(3 * 2 + 2 + 3)
    fits = replace(job, inputs=(*job.inputs, "fits/layer-0.nc", "fits/layer-1.nc"))
    assert products(fits, amounts) == products(job, amounts)


def test_a_ceiling_from_others_is_searched_for_every_subset(paper_config, amounts):
    assert len(CrossSubjectOptions().log10_alphas) == CROSS_SUBJECT_PENALTIES
    job = Job("estimate_cross_subject", tuple("abcd"), ("x",), {"subject": "subj01"})
    three = resampling_flops(job, amounts)
    # 353 s were measured on one thread that makes 90 GFLOP/s in single precision.
    assert three / 90e9 == pytest.approx(353, rel=0.1)
    paper_config["subjects"] = ["subj01", "subj02"]
    assert resampling_flops(job, build(paper_config)) == pytest.approx(three / 7)


def test_other_jobs_take_their_reading_and_writing(amounts):
    job = Job("find_winners", ("a", "b"), ("w",), {"subject": "subj01", "model": "vit-h"})
    expected = 1 + 2 * 0.04 + (2 * 100e6 + amounts.output_bytes(job)) / 400e6
    assert seconds(job, amounts, size=100e6) == pytest.approx(expected)


def test_what_reads_a_few_images_is_not_charged_their_file(amounts):
    images = "resources/nsd/nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5"
    page = Job("show_responses", (images, "answers.tsv"), ("page.html",))
    few = job_cost(page, amounts, lambda name: 40e9 if name == images else 1e6)
    assert few.memory_mb < 500
    assert few.seconds < 5


def test_betas_are_read_voxel_by_voxel_where_they_can_be(paper_config, amounts):
    def cost_of(amounts):
        betas = amounts.dataset.response_files("subj01", "nsdgeneral")
        job = Job("prepare_responses", tuple(map(str, betas)), ("r.nc",), {"subject": "subj01"})
        return job_cost(job, amounts, lambda name: 1e9)

    chunked = cost_of(amounts)
    assert 15 < chunked.seconds < 25  # 20 were measured, of 40 sessions
    assert 1500 < chunked.memory_mb < 3000  # 2,030 were measured
    paper_config["data"]["format"] = "nifti"
    assert cost_of(build(paper_config)).seconds > 40 * 1.05e9 / 400e6


def test_a_fit_of_some_layers_reads_these(amounts):
    embeddings = tuple(f"results/embeddings/vit-h/none/{n}.nc" for n in range(2))
    wild = {"subject": "subj01", "model": "vit-h"}
    one = Job("fit_ridge", ("r.nc", *embeddings), ("layer-0.nc",), wild, threads=4)
    read = (1e9 + 2 * 1e9 / 33) / 400e6
    assert seconds(one, amounts, 1e9) - seconds(one, amounts) == pytest.approx(read)


def test_partitions_grow_with_pairs_penalties_and_shares(paper_config, amounts):
    job = Job(
        "partition_variance", outputs=("p",), wildcards={"subject": "subj01", "model": "idefics"}
    )
    # Nine pairs with the reference; five shares, and each band alone.
    fits = 9 * banded_flops(9000, 512, 15_724, 25, 5, 5)
    components = partition_flops(job, amounts) - fits
    assert 10 * 2 * 9000 * 4096**2 < components < 0.5 * fits
    paper_config["partition"]["reference"] = "all"
    assert partition_flops(job, build(paper_config)) == pytest.approx(components + 5 * fits)
    # Each penalty is tried, none is interpolated, and costs a triangle.
    paper_config["encoding"]["alphas"]["count"] = 50
    more = partition_flops(job, build(paper_config)) - (components + 5 * fits)
    triangles = 5 * 1024 * (1024 + 256) / 2 + 2 * 512 * (512 + 256) / 2
    assert more == pytest.approx(45 * 5 * 2 * 15_724 * 25 * triangles / 2.3)
    paper_config["encoding"]["alphas"]["count"] = 25
    paper_config["partition"]["shares"] = [0.5]
    few = build(paper_config)
    expected = components + 45 * banded_flops(9000, 512, 15_724, 25, 1, 5)
    assert partition_flops(job, few) == pytest.approx(expected)
