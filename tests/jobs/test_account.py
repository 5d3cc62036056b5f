"""A job says what it made of what, and refuses tables and pictures that were changed since."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainstruct.jobs.run import run_job
from brainstruct.store.fingerprint import CODE_STAMP, stamp_of_code
from brainstruct.store.ledger import Ledger
from brainstruct.workflow.places import Places
from brainstruct.workflow.records import Records
from fake_job import fake_job


@pytest.fixture
def results(tmp_path):
    (tmp_path / "tables").mkdir()
    return tmp_path


def job(results, *, inputs=(), outputs=("tables/out.tsv",), rule="join_tables"):
    return fake_job(
        rule,
        log=results / "logs" / f"{rule}.log",
        input={"sources": [str(results / name) for name in inputs]},
        output={"tables": [str(results / name) for name in outputs]},
        params={"code": "join_tables 1"},
        wildcards={"subject": "subj01"},
        config={"results": str(results)},
    )


def write(text):
    def write(*, tables: list[Path], sources: list[Path]) -> None:
        for path in tables:
            path.write_text(text)

    return write


def test_an_entry_says_what_was_made(results):
    run_job(write("r\n0.352\n"), job(results))
    ((_, entry),) = Ledger(results).new()
    assert (entry.rule, entry.wildcards) == ("join_tables", {"subject": "subj01"})
    assert entry.params == {"code": "'join_tables 1'"}
    made = entry.made["tables/out.tsv"]
    assert made.is_still(results / "tables/out.tsv", wholly=True)
    assert entry.peak_mb > 1
    assert entry.cpu > 0
    assert entry.gpus == 0


def test_a_job_that_fails_leaves_no_entry(results):
    def fail(*, tables: list[Path], sources: list[Path]) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run_job(fail, job(results))
    assert Ledger(results).new() == []


@pytest.mark.parametrize("taken_in", [False, True])
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("tables/one.tsv", lambda data: data.replace(b"0.352", b"0.852")),
        ("tables/one.tsv", lambda data: b"\n".join(data.splitlines()[:1]) + b"\n"),
        ("figures/one.png", lambda data: data[:-2]),
        ("pycortex/ready.json", lambda data: data.replace(b"r", b"R", 1)),
    ],
    ids=["digit", "line", "cut", "letter"],
)
def test_an_input_that_was_changed_is_named_with_its_cure(results, capsys, taken_in, name, damage):
    (results / name).parent.mkdir(exist_ok=True)
    run_job(write("r\tn\n0.352\t4\n"), job(results, outputs=[name], rule="first"))
    if taken_in:
        Records(Ledger(results), Places(str(results)), results / ".snakemake").take_in()
    run_job(write("x"), job(results, inputs=[name], rule="second"))
    path = results / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SystemExit):
        run_job(write("x"), job(results, inputs=[name], rule="third"))
    said = (results / "logs/third.log").read_text()
    assert "is not what was written there" in said
    assert f"snakemake {path}" in said


def test_files_that_the_ledger_does_not_know_pass(results):
    (results / "tables/old.tsv").write_text("r\n1\n")
    run_job(write("x"), job(results, inputs=["tables/old.tsv"]))


def test_code_that_was_edited_since_the_run_began_is_told(results, monkeypatch):
    monkeypatch.setenv(CODE_STAMP, stamp_of_code())
    run_job(write("x"), job(results))
    assert "code was edited" not in (results / "logs/join_tables.log").read_text()
    monkeypatch.setenv(CODE_STAMP, "another")
    run_job(write("x"), job(results))
    assert "code was edited since this run" in (results / "logs/join_tables.log").read_text()
