"""What one more of something costs follows from what there is; what is cheaper, from both."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brainstruct.config.loading import load_study
from brainstruct.planning.amounts import Amounts
from brainstruct.planning.calibration import Estimate
from brainstruct.planning.costs import Cost, embed_flops, embed_seconds, job_cost
from brainstruct.planning.jobs import Job
from brainstruct.planning.prices import CARDS, Prices

LAYERS = range(33)
BLOCKS = ("shared-000", "subj01-000", "subj02-000")


def estimates(models: dict[str, list[str]]) -> list[Estimate]:
    """An hour for each embedding and fit of two subjects, 1 GB a block and 10 MB a layer."""
    found = []
    for model, instructions in models.items():
        for told in instructions:
            found += [
                Estimate(
                    Job(
                        "embed",
                        outputs=(f"results/embeddings/{model}/{told}/{block}.nc",),
                        wildcards={"model": model, "instruction": told, "block": block},
                        gpus=1,
                    ),
                    Cost(3600.0, 0.0),
                    1e9,
                )
                for block in BLOCKS
            ]
            found += [
                Estimate(
                    Job(
                        "fit_ridge_0_to_32_of_33",
                        outputs=tuple(
                            f"results/fits/{subject}/{model}/{told}/layer-{n}.nc" for n in LAYERS
                        ),
                        wildcards={"model": model, "instruction": told, "subject": subject},
                        threads=4,
                    ),
                    Cost(3600.0, 0.0),
                    33e7,
                )
                for subject in ("subj01", "subj02")
            ]
    return found


TOLD = {"instructblip": ["IC", "VQ1"], "idefics-random": ["IC", "VQ1"], "vit-h": ["none"]}


@pytest.fixture
def amounts(paper_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paper_config["models"] = [m for m in paper_config["models"] if m["key"] in TOLD]
    paper_config |= {"subjects": ["subj01", "subj02"], "instructions": ["IC", "VQ1"]}
    paper_config["statistics"] = {"compare": []}
    return Amounts(load_study(paper_config))


def by_name(prices):
    return {one.what: (one.gpu_hours, one.core_hours, one.bytes) for one in prices}


def test_one_more_of_each_kind_is_the_mean_of_those_there_are(amounts):
    found = by_name(Prices(estimates(TOLD), amounts).one_more())
    # Five pairs of model and instruction: a block of one's own, and a fit, each.
    assert found["a subject"] == pytest.approx((5, 5 + 5 * 4, 5e9 + 5 * 33e7))
    # Of two models three blocks, and two fits.
    told = "an instruction, for all models"
    assert found[told] == pytest.approx((6, 6 + 16, 6e9 + 4 * 33e7))
    assert found["InstructBLIP"] == pytest.approx((6, 6 + 16, 6e9 + 4 * 33e7))
    assert found["ViT-H"] == pytest.approx((3, 3 + 8, 3e9 + 2 * 33e7))
    # Ten fits, fifteen blocks.
    assert found["a layer, of all models"] == pytest.approx((0, 40 / 33, (15e9 + 33e8) / 33))


def test_exports_are_told_apart_where_voxels_have_places(amounts, monkeypatch):
    last = Prices(estimates(TOLD), amounts).one_more()[-1]
    # Two subjects of three models.
    assert last.what == "the target exports: 1,200 files"
    assert (last.gpu_hours, last.core_hours, last.bytes) == pytest.approx((0, 18 / 3600, 120e6))
    monkeypatch.setattr(type(amounts.study.dataset), "lie", "nowhere")
    assert Prices(estimates(TOLD), amounts).one_more()[-1].what != last.what


def test_jobs_of_several_instructions_are_divided(amounts):
    apart = estimates({"instructblip": ["IC", "VQ1"]})
    job = Job(
        "embed_IC_VQ1",
        outputs=tuple(
            f"results/embeddings/instructblip/{one}/shared-000.nc" for one in TOLD["instructblip"]
        ),
        wildcards={"model": "instructblip", "block": "shared-000"},
        gpus=1,
    )
    joined = [one for one in apart if one.job.wildcards.get("block") != "shared-000"]
    joined.append(Estimate(job, Cost(7200.0, 0.0), 2e9))
    told = "an instruction, for all models"
    prices = [by_name(Prices(some, amounts).one_more())[told] for some in (apart, joined)]
    assert prices[0] == pytest.approx(prices[1])


def test_a_cheaper_study_is_what_its_parts_say(amounts):
    found = by_name(Prices(estimates(TOLD), amounts).cheaper())
    gpu, core, size = found["as it is"]
    assert (gpu, core, size) == pytest.approx((15, 15 + 40, 15e9 + 10 * 33e7))
    share = 9 / 33
    assert found["models[].layers: each 4th"] == pytest.approx((15, 15 + 40 * share, size * share))
    # Of the random model three blocks and two fits fewer.
    once = found["random models with one instruction"]
    assert once == pytest.approx((12, 12 + 32, size - 3e9 - 2 * 33e7))
    together = found["embedding.instructions_per_job: all"]
    assert together[0] < gpu
    assert together[2] == size
    every = found["all of these"]
    assert every[0] < min(once[0], together[0])
    assert every[2] == pytest.approx(once[2] * share)


def test_what_is_chosen_already_is_not_offered(paper_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paper_config["models"] = [m for m in paper_config["models"] if m["key"] == "vit-h"]
    paper_config["models"][0]["layers"] = [8, 16]
    paper_config |= {"subjects": ["subj01", "subj02"], "statistics": {"compare": []}}
    study = Amounts(load_study(paper_config))
    (usual, on_gpus) = Prices(estimates({"vit-h": ["none"]}), study).cheaper()
    assert (usual.what, on_gpus.what) == ("as it is", "encoding.gpus: 1")
    paper_config["encoding"]["gpus"] = 1
    study = Amounts(load_study(paper_config))
    assert Prices(estimates({"vit-h": ["none"]}), study).cheaper() == []


def test_fits_on_gpus_cost_what_a_plan_of_them_says(amounts):
    def planned(gpus: int) -> list[Estimate]:
        jobs = [one.job for one in estimates(TOLD)]
        jobs = [replace(job, gpus=gpus) if "fit" in job.kind else job for job in jobs]
        return [
            Estimate(job, job_cost(job, amounts, lambda _: 1e6), 1e6 * len(job.outputs))
            for job in jobs
        ]

    offered = by_name(Prices(planned(0), amounts).cheaper())["encoding.gpus: 1"]
    assert offered == pytest.approx(by_name(Prices(planned(1), amounts).cheaper())["as it is"])
    usual = by_name(Prices(planned(0), amounts).cheaper())["as it is"]
    assert offered[0] > usual[0]
    assert offered[1] < usual[1] / 5


def test_the_image_is_run_once_where_it_stands_first(paper_config):
    paper_config["models"][0] |= {"key": "llava", "family": "llava"}
    amounts = Amounts(load_study(paper_config))

    def seconds(model: str, n: int) -> float:
        job = Job("embed", outputs=("a.nc",), wildcards={"model": model, "block": "shared-000"})
        return embed_seconds(job, amounts, amounts.assumed, n)

    for model, shared in (("llava", 1), ("idefics", 0)):
        before, _ = embed_flops(model, amounts)
        images = amounts.block("shared-000") * before / (amounts.assumed.gpu_tflops * 1e12)
        load = 2 * amounts.networks[model].parameters / (amounts.assumed.weights_mb_per_s * 1e6)
        saved = 10 * seconds(model, 1) - seconds(model, 10)
        assert saved == pytest.approx(9 * (load + shared * images))


def test_gpus_that_hold_the_largest_model_are_compared(amounts):
    found = Prices(estimates(TOLD), amounts).by_card()
    assert list(found) == [name for name, card in CARDS.items() if card["memory_gb"] > 18]
    assert found["H100"] < found["A100 40 GB"] < found["V100 32 GB"] < found["RTX 3090"]
    assert Prices(estimates({}), amounts).by_card() == {}


def test_packed_weights_ask_for_smaller_cards(amounts):
    large = replace(amounts.networks["instructblip"], language_parameters=60e9)
    found = []
    for bits in (16, 4):
        amounts.networks["instructblip"] = replace(large, bits=bits)
        found.append(set(Prices(estimates(TOLD), amounts).by_card()))
    smaller = {name for name, card in CARDS.items() if card["memory_gb"] > 61.2 / 2}
    assert found == [{"H200"}, smaller]
