"""Which queued jobs belong to a plan; what is done with them is tested in tests/slurm."""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from brainstruct import leftovers
from brainstruct.leftovers import belonging, comment_of, read_queue


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


def test_the_user_s_taste_in_times_and_queues_does_not_matter(monkeypatch, tmp_path):
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
    monkeypatch.setattr(leftovers, "_batch_script", lambda job: "snakemake --jobs 1")
    job = SimpleNamespace(rule=SimpleNamespace(name="a"), wildcards=[])
    workflow = SimpleNamespace(
        dag=SimpleNamespace(needrun_jobs=lambda exclude_finished: [job]),
        workdir_init=str(tmp_path),
        spawned_job_args_factory=SimpleNamespace(get_configfiles_arg=lambda: ""),
    )
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
        main_snakefile=str(snakefile),
        dag=SimpleNamespace(needrun_jobs=lambda exclude_finished: [], jobs=jobs),
        persistence=SimpleNamespace(has_metadata=lambda job: False),
    )
    leftovers.finish_leftovers(workflow)
    assert recorded == [Finished((str(newer),))]
