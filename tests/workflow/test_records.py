"""Snakemake gets its records and times back where files are what the ledger says."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from snakemake.persistence.file import FilePersistence

from brainstruct.store.ledger import Entry, Ledger, Made, write_entry
from brainstruct.workflow.places import Places
from brainstruct.workflow.records import Records

THEN = 1_700_000_000_000_000_000  # ns


def make(root: Path, name: str, content: str = "content") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, ns=(THEN, THEN))


def done(root: Path, *names: str) -> None:
    """Let a job have made files, as jobs say so themselves."""
    entry = Entry(
        rule="fit_ridge",
        wildcards={"subject": "subj01"},
        params={"folds": "5", "work": repr(f"{root}/work"), "root": "'/data/nsd'"},
        inputs=(f"{root}/responses/s.nc", "/data/nsd/betas.hdf5"),
        made={name: Made.of(root / name) for name in names},
        seconds=1.0,
        peak_mb=10,
        at=1.0,
    )
    write_entry(entry, root)


def records(root: Path, kept: Path, nsd: str = "/data/nsd") -> Records:
    return Records(Ledger(root), Places(str(root), {"<data.nsd_root>": nsd}), kept)


def stored(kept: Path, path: Path):
    return FilePersistence(path=kept)._read_record(str(path))


@pytest.fixture
def made(tmp_path):
    root = tmp_path / "a/results"
    make(root, "fits/a.nc")
    make(root, "fits/b.nc")
    make(root, "responses/s.nc")
    done(root, "fits/a.nc", "fits/b.nc")
    assert records(root, tmp_path / "a/.snakemake").take_in() == 1
    return root


def test_a_copy_elsewhere_gets_records_and_times(made, tmp_path):
    root, kept = tmp_path / "b/other", tmp_path / "b/.snakemake"
    shutil.copytree(made, root, copy_function=shutil.copyfile)
    assert (root / "fits/a.nc").stat().st_mtime_ns > THEN
    assert records(root, kept, "/elsewhere").give_back() == 2
    assert (root / "fits/a.nc").stat().st_mtime_ns == THEN
    record = stored(kept, root / "fits/a.nc")
    # Where things lie now, and what they were made with.
    assert record.input == ["/elsewhere/betas.hdf5", f"{root}/responses/s.nc"]
    assert record.params == sorted(["5", f"'{root}/work'", "'/elsewhere'"])
    assert (record.rule, record.incomplete) == ("fit_ridge", False)
    # Once: the next look finds nothing to mend, unless places change.
    assert records(root, kept, "/elsewhere").give_back() == 0
    assert records(root, kept, "/third").give_back() == 2


def test_touched_results_get_their_times_back(made, tmp_path):
    kept = tmp_path / "a/.snakemake"
    records(made, kept).give_back()
    (made / "fits/a.nc").touch()
    assert records(made, kept).give_back() == 1
    assert (made / "fits/a.nc").stat().st_mtime_ns == THEN


def test_a_result_that_changed_keeps_its_time_and_gets_no_record(made, tmp_path):
    kept = tmp_path / "c/.snakemake"
    (made / "fits/a.nc").write_text("CONTENT")
    now = (made / "fits/a.nc").stat().st_mtime_ns
    assert records(made, kept).give_back() == 1
    assert (made / "fits/a.nc").stat().st_mtime_ns == now
    assert stored(kept, made / "fits/a.nc") is None
    assert stored(kept, made / "fits/b.nc") is not None


def test_records_that_contradict_the_ledger_are_replaced(made, tmp_path):
    """Such as those that ``--touch --forceall`` leaves, or code edited amid a run."""
    kept = tmp_path / "a/.snakemake"
    records(made, kept).give_back()
    persistence = FilePersistence(path=kept)
    path = str(made / "fits/a.nc")
    wrong = stored(kept, made / "fits/a.nc")
    wrong.params = ["4"]
    persistence._write_record(path, wrong)
    (made / "fits/a.nc").touch()  # as --touch does
    records(made, kept).give_back()
    assert "5" in stored(kept, made / "fits/a.nc").params


def test_new_entries_are_agreed_on_only_where_snakemake_says_the_same(tmp_path):
    root, kept = tmp_path / "results", tmp_path / ".snakemake"
    make(root, "fits/a.nc")
    make(root, "fits/b.nc")
    done(root, "fits/a.nc", "fits/b.nc")
    found = records(root, kept)
    found.look_at_new()
    found.give_back()  # writes what Snakemake would have
    wrong = stored(kept, root / "fits/b.nc")
    wrong.params = ["4"]
    FilePersistence(path=kept)._write_record(str(root / "fits/b.nc"), wrong)
    found = records(root, kept)
    found._notes.clear()
    found.take_in()
    assert records(root, kept).give_back() == 1
    assert "5" in stored(kept, root / "fits/b.nc").params


def test_files_that_went_before_they_were_written_down_are_left_out(tmp_path):
    root = tmp_path / "results"
    make(root, "fits/a.nc")
    make(root, "fits/b.nc")
    done(root, "fits/a.nc", "fits/b.nc")
    (root / "fits/b.nc").unlink()
    records(root, tmp_path / ".snakemake").take_in()
    assert Ledger(root).entries.keys() == {"fits/a.nc"}
    assert Ledger(root).new() == []


def test_of_what_was_discarded_inputs_are_left_out(made, tmp_path):
    kept = tmp_path / "a/.snakemake"
    ledger = Ledger(made)
    make(made, "embeddings/e.nc")
    done(made, "embeddings/e.nc")
    found = records(made, kept)
    found.take_in()
    entry = found.ledger.entries["fits/a.nc"]
    found.ledger.append(
        [Entry(**{**vars(entry), "inputs": (*entry.inputs, "embeddings/e.nc"), "at": 9.0})]
    )
    found.give_back()
    assert f"{made}/embeddings/e.nc" in stored(kept, made / "fits/a.nc").input
    found.ledger.discard({"embeddings/e.nc"})
    (made / "embeddings/e.nc").unlink()
    found.give_back()
    assert f"{made}/embeddings/e.nc" not in stored(kept, made / "fits/a.nc").input
    assert ledger.unreadable == 0


def test_a_lost_ledger_changes_nothing(made, tmp_path):
    kept = tmp_path / "a/.snakemake"
    records(made, kept).give_back()
    shutil.rmtree(made / "ledger")
    assert records(made, kept).give_back() == 0
    assert stored(kept, made / "fits/a.nc") is not None
