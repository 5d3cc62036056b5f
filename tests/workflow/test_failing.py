"""A run that has failed says at its end which jobs did, and why."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from brainstruct.workflow.failing import MOST, cause_in, failures

BEGIN = "2026-11-29 12:00:00 INFO fit_ridge on node, 2 thread(s), job 17\n"
EARLIER = f"{BEGIN}2026-11-29 12:00:01 ERROR a.nc: is damaged. Delete it.\n"
ENDS = {
    "input": ("2026-11-29 12:00:01 ERROR b.nc: is cut. Make it again.\n",
              "b.nc: is cut. Make it again."),
    "warned": ("2026-11-29 12:00:01 ERROR b.nc: is cut. Mend it.\n"
               "2026-11-29 12:00:02 WARNING 3 files stay\n", "b.nc: is cut. Mend it."),
    "signal": ("2026-11-29 12:00:01 ERROR told to end (SIGTERM) after 9 s. Run it again.\n",
               "told to end (SIGTERM) after 9 s. Run it again."),
    "defect": ("2026-11-29 12:00:01 ERROR fit_ridge failed\nTraceback (most recent call last):\n"
               "  File x\nZeroDivisionError: here\n", "ZeroDivisionError: here (a defect"),
    "killed": ("2026-11-29 12:00:01 INFO layer 3\n", "ends without a word"),
    "killed at once": ("", "ends without a word"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("before", ["", EARLIER, EARLIER + "x" * 10**6 + "\n"])
def test_the_last_attempt_s_word_counts(tmp_path, kind, before):
    text, cause = ENDS[kind]
    (tmp_path / "x.log").write_text(before + BEGIN + text)
    assert cause in cause_in(str(tmp_path / "x.log"))


def test_without_a_log_snakemake_s_own_words_are_pointed_at(tmp_path):
    for log in ("", str(tmp_path / "none.log")):
        assert "left no log" in cause_in(log)


def job(log, number, rule="fit"):
    return SimpleNamespace(
        rule=SimpleNamespace(name=rule), wildcards=[f"subj{number:02}"], log=[str(log)]
    )


def of(*jobs):
    return SimpleNamespace(scheduler=SimpleNamespace(failed=set(jobs)))


class Group(SimpleNamespace):
    __hash__ = object.__hash__


def test_jobs_of_one_cause_are_one_line(tmp_path):
    logs = [tmp_path / f"{number}.log" for number in range(5)]
    for number, log in enumerate(logs):
        cause = "b.nc: is cut. Make it again." if number else "other"
        log.write_text(f"{BEGIN}2026-11-29 12:00:01 ERROR {cause}\n")
    jobs = [Group(**vars(job(log, number))) for number, log in enumerate(logs)]
    group = Group(jobs=jobs[3:])
    assert failures(of(*jobs[:3], group)) == [
        "5 jobs failed:",
        f"  fit subj00: other ({logs[0]})",
        f"  fit subj01 and 3 more: b.nc: is cut. Make it again. ({logs[1]})",
    ]


def test_many_causes_are_counted(tmp_path):
    jobs = []
    for number in range(MOST + 3):
        log = tmp_path / f"{number}.log"
        log.write_text(f"{BEGIN}2026-11-29 12:00:01 ERROR cause {number}\n")
        jobs.append(Group(**vars(job(log, number))))
    lines = failures(of(*jobs))
    assert len(lines) == MOST + 2
    assert lines[-1] == "  and 3 other causes, which the logs name"


def test_a_run_that_ended_before_its_jobs_has_nothing_to_say():
    assert failures(SimpleNamespace(scheduler=None)) == failures(of()) == []
