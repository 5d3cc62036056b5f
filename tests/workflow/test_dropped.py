"""What is left of models, subjects and instructions that a study has no more is named."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from brainstruct.config.loading import load_study
from brainstruct.store.ledger import Entry, Ledger, Made, write_entry
from brainstruct.workflow.dropped import LIST, said_of_dropped
from brainstruct.workflow.places import Places
from brainstruct.workflow.records import Records
from brainstruct.workflow.rooms import Rooms

PAIR = {"subject": "subj01", "model": "instructblip"}
KEPT = [
    ({**PAIR, "instruction": "IC"}, "fits/subj01/instructblip/IC/layer-0.nc"),
    ({"subject": "subj01", "model": "vit-h", "instruction": "none"}, "fits/subj01/vit-h/none/a.nc"),
    (PAIR, "figures/winning_layer/subj01_instructblip.svg"),
    ({"model": "instructblip", "block": "shared-000"}, "embeddings/instructblip/IC/shared-000.nc"),
    ({}, "tables/alignment.tsv"),
    ({"surface": "S1"}, "pycortex/webgl/S1"),
    ({"participant": "01"}, "derivatives/sub-01"),
    ({"checkpoint": "vit-h"}, "checkpoints/vit-h.json"),
]
LEFT = [
    ({"subject": "subj01", "model": "llava"}, "scores/subj01/llava.nc", "model llava"),
    ({**PAIR, "instruction": "mine"}, "fits/subj01/instructblip/mine/a.nc", "instruction mine"),
    ({"subject": "subj08"}, "viewer/subj08", "subject subj08"),
    # A job that gave the model two instructions, one of which the study still has.
    ({"model": "instructblip", "block": "shared-000"}, "embeddings/instructblip/mine/shared-000.nc",
     "instruction mine"),
    ({"model": "vit-h", "instruction": "none", "block": "subj08-000"},
     "embeddings/vit-h/none/subj08-000.nc", "block subj08-000"),
    ({"participant": "08"}, "derivatives/sub-08", "participant 08"),
    ({"checkpoint": "llava"}, "checkpoints/llava.json", "checkpoint llava"),
]  # fmt: skip


@pytest.fixture
def rooms(paper_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Rooms.of(load_study(paper_config | {"results": "our results"}))


def made(rooms, *results) -> Records:
    for wildcards, name, *_ in results:
        path = Path(rooms.data.root) / name
        (path if "." in path.name else path / "page").parent.mkdir(parents=True, exist_ok=True)
        (path if "." in path.name else path / "page").write_text(name)
        entry = Entry("rule", wildcards, {}, (), {str(path): Made.of(path)}, 1.0, 10, 1.0)
        write_entry(entry, rooms.data.root)
    places = Places.of(rooms.data.study)
    found = Records(Ledger(places.root), places)
    found.take_in()
    return found


def test_what_is_left_is_listed_and_the_command_deletes_that_alone(rooms):
    records = made(rooms, *KEPT, *LEFT)
    (said,) = said_of_dropped(rooms, records)
    assert said.startswith("7 results (0.0 GB) of what this study no longer has (")
    for _, _, thing in LEFT:
        assert thing in said or "and 1 more" in said
    listed = Path(f"our results/{LIST}").read_text().splitlines()
    assert listed == sorted(f"our results/{name}" for _, name, _ in LEFT)
    assert all(Path(name).exists() for name in listed), "nothing is deleted by itself"
    command = said.rpartition("delete them:  ")[2]
    subprocess.run(["sh", "-c", command], check=True)
    assert all(Path("our results", name).exists() for _, name in KEPT)
    assert not any(Path(name).exists() for name in listed)
    assert said_of_dropped(rooms, records) == []
    assert not Path(f"our results/{LIST}").exists(), "of no use to anybody"


def test_a_model_that_is_given_fewer_instructions_leaves_the_others(paper_config, rooms):
    results = [
        ({**PAIR, "instruction": name}, f"fits/subj01/instructblip/{name}/a.nc")
        for name in ("IC", "VQ2")
    ]
    records = made(rooms, *results)
    assert said_of_dropped(rooms, records) == []
    paper_config["models"][0]["instructions"] = ["IC", "VQ1"]
    fewer = Rooms.of(load_study(paper_config | {"results": "our results"}))
    (said,) = said_of_dropped(fewer, records)
    assert said.startswith("1 result (0.0 GB) of what this study no longer has (instruction VQ2)")
