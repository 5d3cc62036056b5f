"""On a SLURM cluster: the README's section, word for word, and what goes wrong on clusters.

One file, for tests of one file run in one process: there is one cluster.
"""

from __future__ import annotations

import os
import re
import signal

import pytest
import yaml
from cluster import wait_for
from login import SNAKEMAKE
from processes import hold, n_shards

from brainstruct.store.arrays import read_dataset

pytestmark = pytest.mark.study

FULL = os.environ.get("BRAINSTRUCT_SLURM_FULL") == "1"
"""Whether to run what takes minutes."""

EMBEDDING = "results/embeddings/instructblip/IC/subj01-000.nc"
EMBED = "embed_wildcards_instructblip_IC_subj01-000"
CEILING = "results/ceilings/subj01.nc"


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
        assert (job.mem_mb, job.minutes) == (8000, 480)
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


def test_exports_are_made_by_jobs_too(login):
    first = login.cluster.next_id
    login.run("exports")
    jobs = login.cluster.jobs("export", first)
    assert [job.rule for job in jobs] == ["export_subject_wildcards_01"]  # the rest is local
    assert (jobs[0].state, jobs[0].partition) == ("COMPLETED", "cpu")
    assert (jobs[0].mem_mb, jobs[0].minutes) == (2000, 60)
    func = login.root / "results/derivatives/sub-01/func"
    assert len(list(func.glob("*_space-func1pt8mm_*.nii.gz"))) > 8
    assert (login.root / "results/derivatives/dataset_description.json").is_file()


@pytest.fixture
def slow(login):
    """An embedding is gone, and its job will be slow and save its work often."""
    before = read_dataset(login.root / EMBEDDING)
    (login.root / EMBEDDING).unlink()
    login.configure(embedding={"batch_size": 1, "images_per_shard": 2})
    return login, before


SCRIPT = "workflow_scripts/estimate_ceiling.py"
FAILURES = {
    "memory": 'hog = b"x" * (900 << 20); __import__("time").sleep(8); del hog',
    "defect": 'raise ZeroDivisionError("here")',
    "input": 'raise __import__("brainstruct.errors").errors.InputError("x.nii", "is odd", "Mend")',
}


def fails(script: str, how: str) -> str:
    """Let a script's function begin with a line that goes wrong."""
    docstring = '    """Write ncsnr'
    assert script.count(docstring) == 1
    return script.replace(docstring, f"    {how}\n{docstring}")


def test_a_job_is_sent_again_with_what_it_lacked_and_with_nothing_else(login):
    (login.root / CEILING).unlink()
    rules, script = login.root / "rules/data.smk", login.root / SCRIPT
    assert rules.read_text().count("mem_mb=1000") == 1
    rules.write_text(rules.read_text().replace("mem_mb=1000", "mem_mb=700"))
    limits = login.root / "profiles/slurm/partitions.yaml"
    sound = script.read_text()

    def asked(failure: str, most: int, status: int) -> tuple[list[int], str]:
        """Let the job fail in a way; return what it was given, and what the run said."""
        first = login.cluster.next_id
        partitions = yaml.safe_load(limits.read_text())
        for partition in partitions["partitions"].values():
            partition["max_mem_mb"] = most
        limits.write_text(yaml.safe_dump(partitions))
        script.write_text(fails(sound, failure))
        done = login.command(*SNAKEMAKE, CEILING)
        assert done.status == status, done.text[-6000:]
        jobs = login.cluster.jobs("estimate_ceiling", first)
        assert {job.minutes for job in jobs} == {20}
        # SLURM's word on every failed attempt is kept.
        kept = login.root / "logs/slurm/rule_estimate_ceiling/subj01"
        assert all((kept / f"{job.id}.log").is_file() for job in jobs if job.state != "COMPLETED")
        return [job.mem_mb for job in jobs], done.text

    given, text = asked(FAILURES["memory"], 1000, 1)
    assert given == [700, 1000]  # the partition has no more
    assert "no partition that suits it gives more" in text
    assert asked(FAILURES["defect"], 256000, 1)[0] == [700, 700, 700]
    if not FULL:
        return
    assert asked(FAILURES["input"], 256000, 1)[0] == [700]
    given, text = asked(FAILURES["memory"], 256000, 0)
    assert given == [700, 1400]
    assert "ran out of memory (700 MB). It is tried again with 1400" in text


def test_a_job_out_of_time_gets_more_of_it(login):
    if not FULL:
        pytest.skip("a minute and more: make test-full")
    (login.root / CEILING).unlink()
    rules, script = login.root / "rules/data.smk", login.root / SCRIPT
    assert rules.read_text().count("runtime=20") == 1
    rules.write_text(rules.read_text().replace("runtime=20", "runtime=1"))
    slow = '__import__("time").sleep(75)'
    script.write_text(fails(script.read_text(), slow))
    first = login.cluster.next_id
    text = login.run(CEILING).text
    jobs = login.cluster.jobs("estimate_ceiling", first)
    assert [(job.minutes, job.mem_mb, job.state) for job in jobs] == [
        (1, 2000, "TIMEOUT"),
        (2, 2000, "COMPLETED"),
    ]
    assert "ran out of time (1 minutes). It is tried again with 2." in text


def test_gpus_may_be_asked_for_as_gres(login):
    (login.root / EMBEDDING).unlink()
    profile = login.root / "profiles/slurm/config.yaml"
    text = profile.read_text()
    example = "# set-resources:\n#   embed:\n#     gpu: 0\n#     gres: gpu:a100:1\n"
    assert example in text
    profile.write_text(text.replace(example, example.replace("# ", "").replace("#", "")))
    first = login.cluster.next_id
    done = login.run(EMBEDDING)
    assert "gets no GPU" not in done.text
    (job,) = login.cluster.jobs("embed", first)
    assert (job.partition, job.gpus, job.state) == ("gpu", 1, "COMPLETED")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("group", [True, False])
def test_a_run_that_is_told_to_end_leaves_its_jobs_to_the_next(slow, number, group):
    if not FULL and (number, group) != (signal.SIGTERM, True):
        pytest.skip("of the same kind: make test-full")
    login, before = slow
    first = login.cluster.next_id
    with login.started(EMBEDDING) as controller:
        held = hold(login.root)
        (os.killpg if group else os.kill)(controller.pid, number)
        controller.wait(60)
        assert controller.returncode != 0
    (job,) = login.cluster.queue()
    assert list(login.root.glob(".snakemake/locks/*")) == []
    os.kill(held, signal.SIGCONT)
    text = login.run(EMBEDDING).text  # without --unlock
    assert f"has left in the queue: {job}" in text or "Nothing to be done" in text
    assert [one.state for one in login.cluster.jobs(EMBED, first)] == ["COMPLETED"]
    assert read_dataset(login.root / EMBEDDING)["response"].equals(before["response"])


def test_interrupted_and_cancelled_jobs_go_on_from_their_shards(slow):
    login, before = slow
    cluster, first = login.cluster, login.cluster.next_id
    with login.started(EMBEDDING) as controller:
        wait_for(lambda: n_shards(login.root) > 2, 120, "shards")
        hold(login.root)  # SLURM wakes what it ends
        controller.send_signal(signal.SIGINT)
        controller.wait(180)
        assert controller.returncode != 0
    wait_for(lambda: not cluster.queue(), 30, "an empty queue")
    left = n_shards(login.root)
    assert not (login.root / EMBEDDING).exists()
    assert list(login.root.glob(".snakemake/locks/*")) == []

    with login.started(EMBEDDING) as controller:
        wait_for(lambda: n_shards(login.root) > left + 2, 120, "more shards")
        hold(login.root)
        (job,) = cluster.queue("R")
        cluster.run("scancel", job)
        text, _ = controller.communicate(timeout=240)
        assert controller.returncode == 0, text[-6000:]
    jobs = cluster.jobs(EMBED, first)
    assert [job.state for job in jobs] == ["CANCELLED", "CANCELLED", "COMPLETED"]
    # Two runs; the second had to try twice.
    assert [job.mem_mb for job in jobs] == [48000, 48000, 48000]  # cancelled: it lacked nothing
    # A log is of the last attempt; SLURM's own output keeps the earlier ones.
    log = (login.root / "results/logs/embed/instructblip/IC/subj01-000.log").read_text()
    found = re.search(r"an earlier run has left (\d+) of 190 stimuli", log)
    assert found is not None
    assert int(found[1]) > 2 * left
    after = read_dataset(login.root / EMBEDDING)
    assert after["response"].equals(before["response"])
    assert float(abs(after["embedding"] - before["embedding"]).max()) < 0.01
    assert n_shards(login.root) == 0


def test_a_second_run_is_refused_and_a_killed_one_s_jobs_are_waited_for(slow):
    login, _ = slow
    cluster, first = login.cluster, login.cluster.next_id
    with login.started(EMBEDDING) as controller:
        held = hold(login.root)
        second = login.run_refused(EMBEDDING)
        assert "cannot be locked" in second
        assert "no other Snakemake process" in second
        os.kill(controller.pid, signal.SIGKILL)
        controller.wait()
    (job,) = cluster.queue()
    assert "--unlock" in login.run_refused(EMBEDDING)
    unlocked = login.command(".venv/bin/snakemake", "--unlock")
    assert unlocked.status == 0, unlocked.text
    with login.started(EMBEDDING) as again:
        assert again.stdout is not None
        assert any(f"has left in the queue: {job}" in line for line in again.stdout)
        os.kill(held, signal.SIGCONT)
        text, _ = again.communicate(timeout=240)
        assert again.returncode == 0, text[-6000:]
    assert [(one.id, one.state) for one in cluster.jobs(EMBED, first)] == [(job, "COMPLETED")]
    assert (login.root / EMBEDDING).is_file()
    assert "Nothing to be done" in login.run(EMBEDDING).text
    # What it was made with is known, although no Snakemake saw it end.
    login.configure(embedding={"max_new_tokens": 3})
    assert login.run(EMBEDDING, "-n").jobs["embed"] == 1
