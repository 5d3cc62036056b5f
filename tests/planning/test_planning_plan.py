from __future__ import annotations

import json
from pathlib import Path

import pytest
from planned import keep_account

from brainstruct.config.loading import load_study
from brainstruct.planning import disk
from brainstruct.planning.amounts import Amounts
from brainstruct.planning.jobs import Job
from brainstruct.planning.plan import make_plan
from brainstruct.planning.report import Folder, Plan, plan_table
from brainstruct.store.ledger import Ledger


def study_jobs():
    """An embedding of two instructions' worth, and the fits that read it."""
    blocks = ("shared-000", "subj01-000")
    embed = [
        Job(
            "embed",
            outputs=(f"results/embeddings/vit-h/none/{block}.nc",),
            wildcards={"model": "vit-h", "instruction": "none", "block": block},
            gpus=1,
            memory_mb=48_000,
        )
        for block in blocks
    ]
    fit = Job(
        "fit_ridge",
        inputs=tuple(job.outputs[0] for job in embed),
        outputs=tuple(f"results/fits/subj01/vit-h/none/layer-{n}.nc" for n in range(33)),
        wildcards={"subject": "subj01", "model": "vit-h", "instruction": "none"},
        threads=4,
        memory_mb=500,
    )
    return [*embed, fit]


@pytest.fixture
def study(paper_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paper_config["models"] = [m for m in paper_config["models"] if m["key"] == "vit-h"]
    paper_config["subjects"] = ["subj01"]
    paper_config["statistics"] = {"compare": []}
    return load_study(paper_config)


def test_a_plan_counts_hours_by_what_jobs_ask_for(study):
    plan = make_plan(study, study_jobs(), study_jobs())
    embed, fit = plan.stages
    assert (embed.jobs, embed.to_do, embed.measured) == (2, 2, 0)
    assert embed.gpu_hours == pytest.approx(embed.core_hours) == embed.gpu_hours_to_do
    assert fit.gpu_hours == 0
    assert plan.total("core_hours") == pytest.approx(embed.core_hours + fit.core_hours)
    folders = {folder.folder: folder for folder in plan.folders}
    assert folders["results/fits"].files == 33
    assert folders["results/embeddings"].whole_bytes == pytest.approx(10_000 * 33 * 1280 * 2, 0.01)
    # 40 sessions of betas, the images, and one checkpoint of 632 million parameters.
    assert folders["resources/nsd"].whole_bytes == pytest.approx(40 * 1.05e9 + 39.6e9, rel=0.01)
    assert folders["resources/checkpoints"].whole_bytes == 2_530_000_000


def test_the_doctor_s_embeddings_are_the_plan_s(study):
    plan = make_plan(study, study_jobs(), study_jobs())
    folders = {folder.folder: folder for folder in plan.folders}
    states = disk.embeddings(Amounts(study))
    (found,) = disk.sum_up(states["vit-h"])
    assert found == folders["results/embeddings"]
    assert disk.unfinished(states) == {"vit-h"}


def test_what_was_discarded_and_its_checkpoint_are_not_to_come(study, tmp_path):
    plan = make_plan(study, study_jobs(), study_jobs()[2:])  # nothing is to be embedded
    folders = {folder.folder: folder for folder in plan.folders}
    assert folders["results/embeddings"].bytes_to_come == 0
    assert folders["resources/checkpoints"].bytes_to_come == 0
    assert folders["results/fits"].bytes_to_come > 0

    blocks = [job.outputs[0] for job in study_jobs()[:2]]
    for path in map(Path, blocks):
        path.parent.mkdir(parents=True, exist_ok=True)
    Path(blocks[0]).write_bytes(bytes(10))  # one is there, the other has been discarded
    Ledger("results").discard([blocks[1].removeprefix("results/")])
    states = disk.embeddings(Amounts(study))
    assert disk.sum_up(states["vit-h"])[0].bytes_to_come == 0
    assert disk.unfinished(states) == set()
    come = {one.folder: one.bytes_to_come for one in disk.sum_up(disk.inputs(Amounts(study), []))}
    assert come["resources/checkpoints"] == 0


def test_small_files_of_a_checkpoint_are_not_its_weights(study):
    folder = Path("resources/checkpoints/google--vit-huge-patch14-224-in21k/main")
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(bytes(1000))

    def of_checkpoints():
        folders = {one.folder: one for one in disk.sum_up(disk.inputs(Amounts(study), ["vit-h"]))}
        found = folders["resources/checkpoints"]
        return found.stored_bytes, found.bytes_to_come

    assert of_checkpoints() == (1000, 2_530_000_000 - 1000)
    manifest = Path("results/checkpoints/vit-h.json")  # written once all of it is there
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}")
    assert of_checkpoints() == (1000, 0)


def test_jobs_that_are_done_count_no_more(study):
    jobs = study_jobs()
    plan = make_plan(study, jobs, jobs[2:])
    assert plan.stages[0].to_do == 0
    assert plan.stages[0].gpu_hours_to_do == 0 < plan.stages[0].gpu_hours
    # The fit's start is left, with torch, on four cores.
    assert plan.startup_core_hours_to_do == pytest.approx(4 * 3 / 3600)


def test_records_of_earlier_jobs_replace_assumptions(study, tmp_path):
    jobs = study_jobs()
    keep_account(tmp_path / "results", jobs[0].outputs[0].removeprefix("results/"), 3600.0, 9000)
    plan = make_plan(study, jobs, jobs)
    assert plan.stages[0].measured == 1
    # The other block has nine times the images, and holds them until they are stored.
    assert 1 + 1 < plan.stages[0].gpu_hours < 1 + 9
    assert 9000 < plan.stages[0].peak_memory_mb < 9 * 9000


def test_too_little_memory_is_said(study):
    plan = make_plan(study, study_jobs(), study_jobs())
    assert any("fit_ridge: jobs will hold about" in line for line in plan.warnings)


def test_what_does_not_fit_is_said_plainly(study, monkeypatch):
    def usage(path):
        return type("usage", (), {"free": 10**9})

    monkeypatch.setattr(disk.shutil, "disk_usage", usage)
    plan = make_plan(study, study_jobs(), study_jobs())
    assert not plan.volumes[0].fits
    assert "DOES NOT FIT" in plan.warnings[0]
    assert "DOES NOT FIT" in plan_table(plan)


def test_what_is_stored_is_not_needed_again(tmp_path):
    folder = Folder(folder=str(tmp_path / "x"), files=1, whole_bytes=100, stored_bytes=60)
    (volume,) = disk.volumes([folder])
    assert volume.needed_bytes == 40
    assert volume.fits


def test_json_reads_back_and_knows_its_keys(study):
    plan = make_plan(study, study_jobs(), study_jobs())
    text = json.dumps(plan.model_dump())
    assert Plan.model_validate_json(text) == plan
    schema = Plan.model_json_schema()
    assert set(schema["required"]) == {"study", "stages", "folders", "volumes", "warnings"}
    assert set(json.loads(text)["assumptions"]) == set(schema["$defs"]["Assumptions"]["properties"])


def test_table_has_a_row_per_rule_and_a_total(study):
    text = plan_table(make_plan(study, study_jobs(), study_jobs()))
    assert "arithmetic" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["total", "3", "3"] in [line[:3] for line in lines]
    assert "core hours are jobs that start; on a cluster each starts Snakemake too (3 s)" in text
    n_files = sum(len(job.outputs) for job in study_jobs())
    assert f"Records, logs and benchmarks are {n_files + 2 * 3} small files more" in text


def test_days_go_by_what_is_scarce(study):
    plan = make_plan(study, study_jobs(), study_jobs())
    stage = plan.stages[0].model_copy(update={"gpu_hours_to_do": 48, "core_hours_to_do": 384})
    lines = plan_table(plan.model_copy(update={"stages": [stage]}))
    assert "2.0 on 16 cores and 1 GPU, 0.5 on 64 cores and 4 GPUs" in lines
    stage = stage.model_copy(update={"core_hours_to_do": 3840})
    lines = plan_table(plan.model_copy(update={"stages": [stage]}))
    assert "10.0 on 16 cores and 1 GPU, 2.5 on 64 cores and 4 GPUs" in lines
