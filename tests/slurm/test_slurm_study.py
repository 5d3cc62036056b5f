"""The README's cluster section, followed word for word, ends in a whole study."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.study, pytest.mark.xdist_group("slurm")]


def test_every_job_ends_well_and_the_study_is_whole(studied):
    jobs = studied.login.cluster.jobs()
    assert {job.state for job in jobs} == {"COMPLETED"}
    figures = studied.login.root / "results/figures"
    assert (figures / "winning_instruction/subj01_instructblip.svg").is_file()
    assert "Nothing to be done" in studied.login.run().text


def test_jobs_get_what_their_rules_ask_for(studied):
    cluster = studied.login.cluster
    embedding = cluster.jobs("embed")
    assert len(embedding) == 4
    for job in embedding:
        assert (job.partition, job.gpus, job.cpus) == ("gpu", 1, 4)
        assert (job.mem_mb, job.minutes, job.account) == (48000, 240, "brainlab")
    # One job per subject, model and instruction: all five layers in it.
    fits = cluster.jobs("fit_ridge")
    assert sorted(job.rule for job in fits) == [
        f"fit_ridge_0_to_4_of_5_wildcards_subj01_instructblip_{key}" for key in ("IC", "IU1")
    ]
    for job in fits:
        assert (job.partition, job.gpus, job.cpus) == ("cpu", 0, 1)
        assert (job.mem_mb, job.minutes) == (16000, 480)
    assert {job.partition for job in cluster.jobs()} == {"cpu", "gpu"}
    assert cluster.jobs("list_block") == []


def test_logs_name_their_jobs(studied):
    root = studied.login.root
    (job,) = studied.login.cluster.jobs("embed_wildcards_instructblip_IC_subj01")
    log = (root / "results/logs/embed/instructblip/IC/subj01-000.log").read_text()
    assert f"job {job.id}" in log.splitlines()[0]
    assert "wrote results/embeddings" in log.splitlines()[-1]
    # SLURM's own output says nothing more of jobs that ended well.
    assert list((root / "logs/slurm").rglob("*.log")) == []
