"""Times against arithmetic by hand."""

from __future__ import annotations

import pytest
from planned import build

from brainstruct.planning import costs
from brainstruct.planning.costs import embed_flops, job_cost, partition_flops, ridge_flops
from brainstruct.planning.jobs import Job

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
    written = amounts.output_bytes(EMBED) / 200e6
    expected = 6 + 2 * (6.74e9 + 1.17e9) / 1e9 + 1000 * image + written
    assert seconds(EMBED, amounts) == pytest.approx(expected)


def test_small_batches_cost_more_and_encoders_decode_nothing(paper_config, amounts):
    paper_config["embedding"]["batch_size"] = 1
    assert seconds(EMBED, build(paper_config)) > 9 * seconds(EMBED, amounts)
    encoder = Job("embed", outputs=("a",), wildcards={"model": "vit-h", "block": "shared-000"})
    assert seconds(encoder, amounts) < 20


def test_two_instructions_in_a_job_load_the_model_once(amounts):
    both = Job("embed", outputs=("a", "b"), wildcards=dict(EMBED.wildcards), gpus=1)
    load = 2 * (6.74e9 + 1.17e9) / 1e9
    assert seconds(both, amounts) == pytest.approx(2 * seconds(EMBED, amounts) - 6 - load)


def test_time_of_a_fit(amounts):
    n, p, voxels = 9000, 1024, 15_724
    flops = 2 * n * p * p + 44 * p**3 + 0.79 * 25 * 2 * n * p * voxels
    assert ridge_flops(FIT, amounts) == pytest.approx(flops)
    files = 2 * 50e6 + amounts.output_bytes(FIT)
    expected = 6 + 2 * flops / (30e9 * 4) + files / 200e6
    assert seconds(FIT, amounts, size=50e6) == pytest.approx(expected)


def test_penalties_beyond_those_worked_out_are_free(paper_config, amounts):
    paper_config["encoding"]["alphas"]["count"] = 26
    some = ridge_flops(FIT, build(paper_config))
    paper_config["encoding"]["alphas"]["count"] = 60
    assert ridge_flops(FIT, build(paper_config)) == some > ridge_flops(FIT, amounts)


def test_himalaya_works_all_penalties_out(paper_config, amounts, monkeypatch):
    """As measured on 3000 images, 2048 features and 5000 voxels (docs/benchmarks.md)."""
    monkeypatch.setattr(costs, "_shape", lambda job, amounts: (3000, 2048, 5000))
    for count, ratio in ((20, 4.6), (60, 10.0)):
        paper_config["encoding"] |= {"alphas": alphas(count), "solver": "gram"}
        fast = ridge_flops(FIT, build(paper_config))
        paper_config["encoding"]["solver"] = "himalaya"
        assert ridge_flops(FIT, build(paper_config)) / fast == pytest.approx(ratio, rel=0.15)
    paper_config["encoding"] = {"preset": "oota2025"}
    assert ridge_flops(FIT, build(paper_config)) / fast == pytest.approx(10.0, rel=0.15)


def test_products_are_those_that_were_counted(paper_config, monkeypatch):
    monkeypatch.setattr(costs, "_shape", lambda job, amounts: (3000, 2048, 5000))
    for count, gflop in ((20, 968), (60, 1239)):
        paper_config["encoding"]["alphas"] = alphas(count)
        decomposition = 2 * 3000 * 2048**2 + 44 * 2048**3
        found = ridge_flops(FIT, build(paper_config)) - decomposition
        assert found / 1e9 == pytest.approx(gflop, rel=0.03)


def alphas(count):
    return {"log10_min": 0, "log10_max": 10, "count": count}


def test_other_jobs_take_their_reading_and_writing(amounts):
    job = Job("find_winners", ("a", "b"), ("w",), {"subject": "subj01", "model": "vit-h"})
    expected = 1 + (2 * 100e6 + amounts.output_bytes(job)) / 200e6
    assert seconds(job, amounts, size=100e6) == pytest.approx(expected)


def test_variance_of_a_pair_is_fitted_at_every_share(amounts):
    job = Job(
        "partition_variance", outputs=("p",), wildcards={"subject": "subj01", "model": "idefics"}
    )
    n, p, bands, voxels = 9000, 4096, 1024, 15_724
    components = 10 * (2 * n * p * p + 44 * p**3)
    fit = 2 * n * bands * bands + 44 * bands**3 + 0.79 * 25 * 2 * n * bands * voxels
    # Nine pairs with the reference; five shares, and each band alone.
    assert partition_flops(job, amounts) == pytest.approx(components + 9 * 7 * fit)
