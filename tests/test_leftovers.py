"""Which queued jobs belong to a plan; what is done with them is tested in tests/slurm."""

from __future__ import annotations

from types import SimpleNamespace

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
