from __future__ import annotations

from brainstruct.planning.jobs import read_dry_run

PRINTED = """\
Building DAG of jobs...
Job stats:
job      count
-----  -------
total        2

[Tue Jan  1 10:00:00 2030]
rule fit_ridge_0_to_1_of_2:
    input: results/responses/subj01.nc, results/embeddings/vit/none/subj01-000.nc
    output: results/fits/subj01/vit/none/layer-0.nc, results/fits/subj01/vit/none/layer-1.nc
    log: results/logs/fit_ridge/subj01/vit/none/0-1.log
    jobid: 3
    benchmark: results/benchmarks/fit_ridge/subj01/vit/none/0-1.tsv
    reason: Missing output files: results/fits/subj01/vit/none/layer-1.nc
    wildcards: subject=subj01, model=vit, instruction=none
    threads: 4
    resources: tmpdir=<TBD>, runtime=480, mem_mb=16000, mem=16 GB, mem_mib=15259
[Tue Jan  1 10:00:00 2030]
localrule fetch_checkpoint:
    output: results/checkpoints/vit.json
    jobid: 9
    resources: tmpdir=/tmp
[Tue Jan  1 10:00:00 2030]
localrule all:
    input: results/fits/subj01/vit/none/layer-0.nc
    jobid: 0
    resources: tmpdir=/tmp
"""


def test_jobs_are_read_from_a_dry_run():
    fit, fetch = read_dry_run(PRINTED)
    assert (fit.rule, fit.kind) == ("fit_ridge_0_to_1_of_2", "fit_ridge")
    assert len(fit.inputs) == len(fit.outputs) == 2
    assert fit.wildcards == {"subject": "subj01", "model": "vit", "instruction": "none"}
    assert (fit.threads, fit.gpus, fit.memory_mb) == (4, 0, 16000)
    assert fit.minutes == 480
    assert fetch.kind == fetch.rule
    assert fetch.outputs == ("results/checkpoints/vit.json",)
    assert (fetch.threads, fetch.minutes) == (1, 0)


def test_nothing_to_do_is_no_job():
    assert read_dry_run("Nothing to be done (all requested files are present).\n") == []
