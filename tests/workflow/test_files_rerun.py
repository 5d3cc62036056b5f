"""What a file holds decides which jobs run again, and nothing else about it does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from parsing import EXAMPLES, parse, recorded, script_of

from brainstruct.config.files import read_config
from brainstruct.config.loading import load_study
from brainstruct.workflow.places import Places
from costs import TABLE

KINDS = {name: row for name, row in TABLE["files"].items() if "place" in row}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """All files that a study reads, by name: whoever parses opens none of them."""
    root = tmp_path_factory.mktemp("study")
    study = load_study(config(root))
    files = list(study.dataset.required(study.wanted))
    for subject in study.subjects:
        files += study.dataset.label_files(subject, study.data.rois)
        for half in study.dataset.cortex_files(subject, study.flatmaps.patch):
            files += [*half.surfaces, *half.depths, half.average]
    files += [root / "checkpoint" / name for name in ("config.json", "tokenizer.json")]
    files += [root / "checkpoint/model.safetensors"]
    for number, path in enumerate(files):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content {number:09d}")
    return root


def config(root: Path) -> dict[str, Any]:
    found = read_config()
    found["results"] = str(root / "results")
    found["subjects"] = ["subj01", "subj02"]
    found["data"] |= {"nsd_root": str(root / "data"), "annotations": str(root / "captions")}
    found["data"]["rois"] = ["prf-visualrois", "floc-bodies"]
    found["data"]["sessions"] = 10
    found["flatmaps"]["source"] = "freesurfer"
    found["checkpoints"]["instructblip"] = {"path": str(root / "checkpoint")}
    return found


def records(root: Path, monkeypatch) -> dict[str, list[Any]]:
    """Script -> what is remembered of jobs of subject 2, and of a model of each kind."""
    monkeypatch.setitem(EXAMPLES, "subject", "subj02")
    monkeypatch.setitem(EXAMPLES, "participant", "02")
    given = config(root)
    places = Places.of(load_study(given))
    found: dict[str, list[Any]] = {}
    rules = [rule for rule in parse(**given) if rule.script and rule.output]
    captions = [rule for rule in rules if script_of(rule) == "embed"]
    for model, asked in (("instructblip", rules), ("clip-text", captions)):
        monkeypatch.setitem(EXAMPLES, "model", model)
        for rule in asked:
            job = {part: places.names_in(repr(value)) for part, value in recorded(rule).items()}
            found.setdefault(script_of(rule), []).append(job)
    return found


def differing(then: dict[str, Any], now: dict[str, Any]) -> set[str]:
    return {script for script in then.keys() | now.keys() if then.get(script) != now.get(script)}


@pytest.fixture(scope="module")
def before(home):
    with pytest.MonkeyPatch.context() as monkeypatch:
        return records(home, monkeypatch)


def replaced(path: Path, content: str, times: tuple[int, int]) -> None:
    """Put another file in its place, as `cp -p` and `rsync -a` do."""
    other = path.with_name("other")
    other.write_text(content)
    os.utime(other, ns=times)
    other.rename(path)


@pytest.mark.parametrize("when", ["kept times", "older"])
@pytest.mark.parametrize("kind", KINDS)
def test_another_content_is_noticed_by_its_readers_alone(home, before, monkeypatch, kind, when):
    path = home / KINDS[kind]["place"]
    content, status = path.read_text(), path.stat()
    times = status.st_atime_ns, status.st_mtime_ns - (10**12 if when == "older" else 0)
    replaced(path, content[::-1], times)
    assert path.stat().st_size == status.st_size
    try:
        assert differing(before, records(home, monkeypatch)) == set(KINDS[kind]["reruns"])
    finally:
        path.write_text(content)


def test_times_alone_rerun_nothing(home, before, monkeypatch):
    for row in KINDS.values():
        (home / row["place"]).touch()
    assert records(home, monkeypatch) == before


def test_moved_files_rerun_nothing(home, before, monkeypatch, tmp_path):
    moved = tmp_path / "elsewhere"
    home.rename(moved)
    try:
        assert records(moved, monkeypatch) == before
    finally:
        moved.rename(home)
