"""The ledger remembers what made each output; damage to it costs lines, never results."""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import replace

import pytest

from brainstruct.store.ledger import ELSEWHERE, Entry, Ledger, Made, stage_of, write_entry

LONG = repr({"folds": 5, "alphas": {"log10_min": 0, "log10_max": 6, "count": 25}, "more": "x" * 90})


def entry(*outputs: str, at: float = 1.0, **changes: object) -> Entry:
    made = {name: Made(len(name), 10**18, "d" * 16, "") for name in outputs}
    whole = Entry(
        rule="fit_ridge",
        wildcards={"subject": "subj01"},
        params={"encoding": LONG, "seed": "1"},
        inputs=tuple(f"embeddings/m/IC/shared-{index:03d}.nc" for index in range(9)),
        made=made,
        seconds=12.5,
        peak_mb=400,
        at=at,
    )
    return replace(whole, **changes)


@pytest.fixture
def filled(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append([entry("fits/a.nc", "predictions/a.nc"), entry("fits/b.nc", at=2.0)])
    return tmp_path


def test_what_was_written_comes_back(filled):
    found = Ledger(filled)
    assert found.entries["fits/b.nc"] == entry("fits/b.nc", at=2.0)
    # A job's outputs in two folders stand in the files of both.
    assert found.entries["predictions/a.nc"].made.keys() == {"predictions/a.nc"}
    assert {path.name for path in (filled / "ledger").glob("*.jsonl")} == {
        "fits.jsonl", "predictions.jsonl",
    }  # fmt: skip


def test_long_values_stand_once(filled):
    ledger = Ledger(filled)
    text = (filled / "ledger/fits.jsonl").read_text()
    assert text.count("log10_max") == 1
    ledger.append([entry("fits/c.nc")])
    text = (filled / "ledger/fits.jsonl").read_text()
    assert text.count("log10_max") == text.count("shared-008") == 1
    assert Ledger(filled).entries["fits/c.nc"].params["encoding"] == LONG


def test_only_the_stages_asked_for_are_read(filled):
    assert Ledger(filled, {"predictions"}).entries.keys() == {"predictions/a.nc"}
    assert Ledger(filled, {"tables"}).entries == {}


def test_a_later_entry_replaces_an_earlier(filled):
    Ledger(filled).append([entry("fits/a.nc", at=3.0)])
    found = Ledger(filled).entries
    assert (found["fits/a.nc"].at, found["fits/b.nc"].at) == (3.0, 2.0)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("damage", ["flipped", "cut", "nulls"])
def test_a_damaged_line_costs_no_more_than_what_it_spoke_of(filled, number, damage):
    path = filled / "ledger/fits.jsonl"
    lines = path.read_text().splitlines()
    assert len(lines) == 4  # two values, two entries
    broken = {
        "flipped": lines[number].replace("e", "f", 1),
        "cut": lines[number][: len(lines[number]) // 2],
        "nulls": "\0" * len(lines[number]),
    }[damage]
    path.write_text("\n".join([*lines[:number], broken, *lines[number + 1 :]]) + "\n")
    found = Ledger(filled)
    assert found.unreadable == 1
    # A value that is lost takes its entries with it; what is left is right.
    for name, one in found.entries.items():
        assert one.params["encoding"] == LONG
        assert one.at == {"a": 1.0, "b": 2.0}[name[-4]]
    assert "predictions/a.nc" in found.entries
    found.append([entry("fits/c.nc")])
    assert "fits/c.nc" in Ledger(filled).entries


def test_a_line_that_was_cut_does_not_swallow_the_next(filled):
    path = filled / "ledger/fits.jsonl"
    path.write_text(path.read_text()[:-20])
    Ledger(filled).append([entry("fits/c.nc")])
    assert "fits/c.nc" in Ledger(filled).entries


def test_discarded_outputs_are_remembered_until_they_are_made_again(filled):
    Ledger(filled).discard({"fits/a.nc"})
    found = Ledger(filled)
    assert found.discarded == {"fits/a.nc"}
    assert found.entries["fits/a.nc"].seconds == 12.5
    found.append([entry("fits/a.nc", at=4.0)])
    assert Ledger(filled).discarded == set()


def test_compacting_keeps_what_counts(filled):
    ledger = Ledger(filled)
    for index in range(200):
        ledger.append([entry("fits/a.nc", at=10.0 + index)])
    ledger.discard({"fits/b.nc"})
    before = Ledger(filled)
    ledger.compact()
    assert len((filled / "ledger/fits.jsonl").read_text().splitlines()) < 10
    after = Ledger(filled)
    assert after.entries == before.entries
    assert after.discarded == {"fits/b.nc"}


def test_jobs_publish_entries_of_their_own(tmp_path):
    write_entry(entry("fits/a.nc"), tmp_path)
    write_entry(entry("tables/a.tsv", at=0.5), tmp_path)
    ledger = Ledger(tmp_path)
    assert [one.at for _, one in ledger.new()] == [0.5, 1.0]
    assert ledger.entries == {}
    path = next((tmp_path / "ledger/new/fits").iterdir())
    path.write_text(path.read_text()[:-9])
    assert [one.at for _, one in ledger.new()] == [0.5]
    assert ledger.unreadable == 1


def test_a_job_of_two_stages_is_known_to_readers_of_either(tmp_path):
    """Of a table made again in this run, the entry of the last run is not believed."""
    Ledger(tmp_path).append([entry("concepts/a.nc", "tables/a.tsv")])
    write_entry(entry("concepts/a.nc", "tables/a.tsv", at=2.0), tmp_path)
    for stage, output in (("tables", "tables/a.tsv"), ("concepts", "concepts/a.nc")):
        ((_, found),) = Ledger(tmp_path, {stage}).new()
        assert (found.made.keys(), found.at) == ({output}, 2.0)


def _append(root, number):
    for index in range(20):
        Ledger(root, set()).append([entry(f"fits/{number}-{index}.nc")])


def test_runs_that_write_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append, args=(tmp_path, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    found = Ledger(tmp_path)
    assert len(found.entries) == 60
    assert found.unreadable == 0


def test_only_one_is_alone(tmp_path):
    first, second = Ledger(tmp_path), Ledger(tmp_path)
    with first.alone() as held:
        assert held
        with second.alone() as also:
            assert not also
    with second.alone() as held:
        assert held


def test_stages_are_folders_of_the_results():
    assert stage_of("fits/subj01/a.nc") == "fits"
    assert {stage_of(name) for name in ("<data.nsd_root>/a", "/elsewhere/a", "file.json")} == {
        ELSEWHERE
    }


def test_an_output_is_still_what_it_was(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("r\n0.352\n")
    made = Made.of(path)
    assert made.is_still(path, wholly=True)
    path.write_text("r\n0.353\n")
    assert not made.is_still(path)
    path.write_text("r\n")
    assert not made.is_still(path)


def test_lines_are_of_plain_json_after_their_checksum(filled):
    for line in (filled / "ledger/fits.jsonl").read_text().splitlines():
        checksum, _, text = line.partition(" ")
        assert len(checksum) == 8
        json.loads(text)


def test_lines_can_be_read_by_people_whatever_their_language(tmp_path):
    Ledger(tmp_path).append([entry("fits/a.nc", params={"instruction": "Où est le café ?"})])
    assert "Où est le café ?" in (tmp_path / "ledger/fits.jsonl").read_text("utf-8")
    assert Ledger(tmp_path).entries["fits/a.nc"].params == {"instruction": "Où est le café ?"}


def test_who_may_write_a_ledger_is_as_for_other_files(tmp_path):
    before = os.umask(0o002)
    try:
        Ledger(tmp_path).append([entry("fits/a.nc")])
    finally:
        os.umask(before)
    assert (tmp_path / "ledger/fits.jsonl").stat().st_mode & 0o777 == 0o664


def test_a_file_that_is_written_anew_speaks_of_its_own_stage_alone(filled):
    ledger = Ledger(filled)
    for at in range(60):
        ledger.append([entry("fits/a.nc", "predictions/a.nc", at=float(at))])
    ledger.compact()
    assert Ledger(filled, {"fits"}).entries.keys() == {"fits/a.nc", "fits/b.nc"}
    assert Ledger(filled).entries["predictions/a.nc"].at == 59
