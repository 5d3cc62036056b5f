"""Which queued jobs belong to a plan; what is done with them is tested in tests/slurm."""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from brainstruct.errors import InputError
from brainstruct.workflow import leftovers
from brainstruct.workflow.leftovers import belonging, comment_of, read_queue


def test_a_comment_names_rule_and_wildcards():
    assert comment_of("embed", ["clip", "none", "shared-000"]) == (
        "rule_embed_wildcards_clip_none_shared-000"
    )
    assert comment_of("join_tables", []) == "rule_join_tables"


def test_jobs_of_other_folders_and_plans_do_not_belong(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "here")
    queue = read_queue(
        f"11|2026-01-02T03:04:05|{tmp_path}/here|rule_fit_wildcards_a\n"
        f"12|2026-01-02T03:04:06|{tmp_path}/link|rule_fit_wildcards_b\n"
        f"13|2026-01-02T03:04:06|{tmp_path}/there|rule_fit_wildcards_b\n"
        f"14|2026-01-02T03:04:06|{tmp_path}/here|somebody's | job\n"
    )
    found = belonging(queue, tmp_path / "here", {"rule_fit_wildcards_b", "rule_fit_wildcards_a"})
    assert [job.id for job in found] == ["11", "12"]
    assert found[1].submitted - found[0].submitted == 1


def test_without_slurm_there_are_none(monkeypatch):
    monkeypatch.setattr(leftovers.shutil, "which", lambda name: None)
    assert leftovers.leftovers(SimpleNamespace()) == []


@pytest.mark.parametrize(
    ("named", "same"),
    [
        ("--configfiles 'config/a.yaml' --latency-wait 60", True),
        ("--configfiles 'config/a.yaml'", True),
        ("--configfiles 'config/a.yaml' 'config/b.yaml' --latency-wait 60", False),
        ("--configfiles 'config/b.yaml' --latency-wait 60", False),
        ("--latency-wait 60", False),
    ],
)
def test_a_study_with_one_more_configuration_file_is_another(named, same):
    script = f"#!/bin/sh\n\npython -m snakemake {named}\n"
    assert leftovers._is_configured(script, "--configfiles 'config/a.yaml'") is same
    assert leftovers._is_configured(script, "") is (named == "--latency-wait 60")


@pytest.fixture
def slurm(monkeypatch, tmp_path):
    """Commands that read what they say, and whether they fail, from files; calls are noted."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setattr(leftovers, "FIRST_POLL", 0.01)
    monkeypatch.setattr(leftovers, "LAST_POLL", 0.01)

    def command(name, script):
        path = folder / name
        path.write_text(f'#!/bin/sh\ncd {folder}\necho "{name} $*" >> calls\n{script}')
        path.chmod(0o755)

    # A file away-NAME holds how often the command fails from now on.
    fails = (
        'left=$(cat away-{0} 2>/dev/null || echo 0)\nif test "$left" -gt 0; then '
        "echo $((left - 1)) > away-{0}; "
        'echo "{0}: error: Unable to contact slurm controller" >&2; exit 1; fi\n'
    )
    # Once there is a file named so, jobs leave the queue after the next look at it.
    command("squeue", fails.format("squeue") + "cat queue; test -f ends && : > queue\nexit 0\n")
    command("scontrol", fails.format("scontrol") + 'echo "snakemake --jobs 1"\n')
    command("scancel", fails.format("scancel") + ": > queue\n")
    (folder / "queue").write_text(
        "".join(f"{n}|2026-01-02T03:04:05|{tmp_path}|rule_a\n" for n in (11, 12))
    )
    return folder


def calls(slurm):
    return (slurm / "calls").read_text().splitlines()


@pytest.fixture
def workflow(tmp_path, slurm):
    """A run that sends jobs to SLURM, with one to do."""
    (tmp_path / "config.yaml").touch()
    os.utime(tmp_path / "config.yaml", (0, 0))
    job = SimpleNamespace(rule=SimpleNamespace(name="a"), wildcards=[], output=[])
    return SimpleNamespace(
        dag=SimpleNamespace(needrun_jobs=lambda exclude_finished: [job], jobs=[]),
        workdir_init=str(tmp_path),
        configfiles=[str(tmp_path / "config.yaml")],
        spawned_job_args_factory=SimpleNamespace(get_configfiles_arg=lambda: ""),
        executor_plugin=SimpleNamespace(name="slurm"),
        persistence=SimpleNamespace(unlock=lambda: None),
    )


@pytest.fixture
def restarted(monkeypatch):
    """Whether the run has begun anew, and what was recorded before."""
    found = []
    monkeypatch.setattr(leftovers.os, "execv", lambda *command: found.append("anew"))
    monkeypatch.setattr(leftovers, "_is_whole", lambda workflow, job: True)
    monkeypatch.setattr(leftovers, "_record", lambda workflow, job: found.append("recorded"))
    return found


def test_an_outage_while_jobs_are_awaited_does_not_end_them(slurm, workflow, restarted, capfd):
    real = leftovers._still_there
    looks = []

    def look(jobs):
        looks.append(jobs)
        if len(looks) == 2:
            (slurm / "away-squeue").write_text("20")
        if len(looks) > 20:
            (slurm / "ends").touch()
        assert restarted == []
        return real(jobs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leftovers, "_still_there", look)
        leftovers.finish_leftovers(workflow)
    assert restarted == ["recorded", "anew"]
    said = capfd.readouterr().err
    assert said.count("SLURM does not answer") == 1
    assert "Unable to contact slurm controller" in said
    # The scripts of the queued jobs are read once.
    assert sum(call.startswith("scontrol") for call in calls(slurm)) == 2


@pytest.mark.parametrize("command", ["squeue", "scontrol"])
def test_an_outage_at_the_start_is_sat_out(slurm, workflow, restarted, command, capfd, monkeypatch):
    (slurm / f"away-{command}").write_text("3")
    monkeypatch.setattr(leftovers, "_still_there", lambda jobs: [])
    leftovers.finish_leftovers(workflow)
    assert restarted == ["recorded", "anew"]
    assert "Waiting for jobs that an earlier run has left in the queue: 11, 12" in (
        capfd.readouterr().err
    )


def test_a_long_outage_at_the_start_sends_nothing_twice(slurm, workflow, restarted):
    (slurm / "away-squeue").write_text("1000")
    with pytest.raises(InputError, match=r"SLURM: does not say.*slurm controller.*run again"):
        leftovers.finish_leftovers(workflow)
    assert restarted == []


def test_tools_without_a_cluster_do_not_disturb_a_local_run(slurm, workflow, restarted, capfd):
    (slurm / "away-squeue").write_text("1000")
    workflow.executor_plugin.name = "local"
    workflow.dag.needrun_jobs = lambda exclude_finished: []
    leftovers.finish_leftovers(workflow)
    leftovers.cancel_leftovers(workflow)
    assert len(calls(slurm)) == 2
    assert capfd.readouterr().err == ""


def test_a_job_that_has_just_ended_is_none(slurm, workflow):
    (slurm / "scontrol").write_text(
        "#!/bin/sh\necho 'job script retrieval failed: Invalid job id specified' >&2\nexit 1\n"
    )
    workflow.spawned_job_args_factory.get_configfiles_arg = lambda: "--configfiles 'a.yaml'"
    assert leftovers.leftovers(workflow) == []


@pytest.mark.parametrize(("outages", "cancelled"), [(0, True), (1, True), (100, False)])
def test_cancelling_at_the_end_is_tried_again_and_owned_up_to(
    slurm, workflow, outages, cancelled, capfd
):
    (slurm / "away-scancel").write_text(str(outages))
    leftovers.cancel_leftovers(workflow)
    assert "scancel 11 12" in calls(slurm)
    assert ((slurm / "queue").read_text() == "") is cancelled
    assert ("Jobs may be left there" in capfd.readouterr().err) is not cancelled


def test_the_user_s_taste_in_times_and_queues_does_not_matter(monkeypatch, tmp_path, workflow):
    squeue = tmp_path / "squeue"
    squeue.write_text(
        "#!/bin/sh\n"
        'test -n "$SQUEUE_STATES" && exit\n'
        'if test -n "$SLURM_TIME_FORMAT"; then when="2 Jan 03:04"; '
        'else when="2026-01-02T03:04:05"; fi\n'
        f'echo "11|$when|{tmp_path}|rule_a"\n'
    )
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("SLURM_TIME_FORMAT", "relative")
    monkeypatch.setenv("SQUEUE_STATES", "PD")
    assert [one.id for one in leftovers.leftovers(workflow)] == ["11"]


@dataclass(frozen=True)
class Finished:
    """A job whose outputs are there."""

    output: tuple[str, ...]


def test_a_workflow_without_configuration_files_has_its_settings_in_its_snakefile(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(leftovers, "leftovers", lambda workflow: [])
    recorded = []
    monkeypatch.setattr(leftovers, "_record", lambda workflow, job: recorded.append(job))
    monkeypatch.setattr(leftovers, "_is_whole", lambda workflow, job: True)
    snakefile, older, newer = (tmp_path / name for name in ("Snakefile", "older", "newer"))
    for age, path in enumerate((older, snakefile, newer)):
        path.touch()
        os.utime(path, (age, age))
    jobs = [Finished((str(path),)) for path in (older, newer)]
    workflow = SimpleNamespace(
        configfiles=[],
        executor_plugin=None,
        main_snakefile=str(snakefile),
        dag=SimpleNamespace(needrun_jobs=lambda exclude_finished: [], jobs=jobs),
        persistence=SimpleNamespace(has_metadata=lambda job: False),
    )
    leftovers.finish_leftovers(workflow)
    assert recorded == [Finished((str(newer),))]
