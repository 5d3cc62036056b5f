"""`snakemake plan`: what a study will take, before there is anything."""

from __future__ import annotations

import json

from brainstruct.planning.report import Plan


def planned(checkout, folder, *options):
    done = checkout.run("plan", *options)
    assert "GPU h" in done.text
    assert "Traceback" not in done.text
    return Plan.model_validate(json.loads((checkout.root / folder / "plan.json").read_text()))


def test_paper_study_is_planned_without_data(fresh):
    plan = planned(fresh, "results")
    jobs = {stage.rule: stage.jobs for stage in plan.stages}
    instructed, others = 6, 3
    assert jobs["embed"] == 5 * (10 * instructed + others)
    fits = sum(count for rule, count in jobs.items() if rule.startswith("fit_ridge_"))
    assert fits == 4 * (10 * instructed + others)
    assert plan.total("jobs") == plan.total("to_do")
    assert plan.total("gpu_hours") > 0
    embeddings = next(row for row in plan.folders if row.folder == "results/embeddings")
    mllm = 37_000 * 10 * instructed * 33 * 4096 * 2
    assert mllm < embeddings.whole_bytes < 1.02 * mllm


def test_plan_counts_the_jobs_of_a_dry_run(fresh):
    options = ("--configfile", "config/demo.yaml")
    plan = planned(fresh, "results/demo", *options)
    listed = fresh.run("-n", *options).jobs
    # Rules go by the names that Snakemake's options take.
    assert {stage.rule: stage.to_do for stage in plan.stages} | {"all": 1} == listed
    assert sum(stage.jobs for stage in plan.stages if stage.rule.startswith("embed")) == 3 * 9
    # It is asked anew every time, and computes nothing of the study.
    assert fresh.run("-n", "plan", *options).jobs == {"plan": 1}
    found = {path.name for path in (fresh.root / "results/demo").iterdir()}
    assert found == {"ledger", "logs", "plan.json"}
