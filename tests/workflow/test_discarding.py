"""Embeddings go when everything made of them is there, and a dropped layer leaves its fits."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from brainstruct.config.files import over_defaults
from brainstruct.config.loading import load_study
from brainstruct.store.ledger import Entry, Ledger, Made
from brainstruct.workflow import discarding
from brainstruct.workflow.discarding import discard, made_of
from brainstruct.workflow.places import Places
from brainstruct.workflow.records import Records
from brainstruct.workflow.rooms import Rooms

SMALL = Path(__file__).parent / "small.yaml"


def rooms_of(**changes) -> Rooms:
    config = yaml.safe_load(SMALL.read_text(encoding="utf-8"))
    for key, value in changes.items():
        config[key] = value
    return Rooms.of(load_study(over_defaults(config)))


@pytest.fixture
def study(tmp_path, monkeypatch):
    """The small study as if it were done: every file is there, and in the ledger."""
    monkeypatch.chdir(tmp_path)
    rooms = rooms_of()
    embeddings = rooms.models.all_embeddings
    results = [path for model in rooms.data.study.models for path in made_of(rooms, model.key)]
    for path in map(Path, [*embeddings, *results]):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(path))
    places = Places.of(rooms.data.study)
    ledger = Ledger(places.root)
    ledger.append([made(places, path, "embed") for path in embeddings])
    return rooms, Records(ledger, places, Path(".snakemake"))


def made(places: Places, path: str, rule: str) -> Entry:
    name = places.name(path)
    return Entry(rule, {}, {}, (), {name: Made.of(Path(path))}, 60.0, 1, 1.0)


def there() -> list[Path]:
    return sorted(Path("results/small/embeddings").rglob("*.nc"))


def test_all_of_them_go_and_are_remembered(study):
    rooms, records = study
    count = len(there())
    freed = discard(rooms, records)
    assert (freed.files, freed.waiting, there()) == (count, (), [])
    assert freed.bytes > 0
    found = Ledger("results/small")
    assert len(found.discarded) == count
    assert found.discarded <= found.entries.keys()
    assert discard(rooms, records).files == 0


@pytest.mark.parametrize("kind", ["fits", "predictions", "partition", "answers"])
def test_those_of_a_model_stay_while_something_needs_them(study, kind):
    rooms, records = study
    files = [path for path in Path("results/small", kind).rglob("*") if path.is_file()]
    next(path for path in files if "instructblip" in str(path)).unlink()
    freed = discard(rooms, records)
    assert freed.waiting == ("instructblip",)
    assert {path.parts[3] for path in there()} == {"instructblip"}


def test_what_the_ledger_does_not_know_stays(study):
    rooms, records = study
    known = next(name for name in records.ledger.entries if "clip-text" in name)
    del records.ledger.entries[known]
    discard(rooms, records)
    assert there() == [Path("results/small", known)]


def test_an_interrupted_deletion_is_taken_up(study, monkeypatch):
    rooms, records = study
    deleted = []
    unlink = Path.unlink

    def interrupted(self, missing_ok=False):
        if len(deleted) == 3:
            raise KeyboardInterrupt
        deleted.append(self)
        unlink(self, missing_ok)

    monkeypatch.setattr(discarding.Path, "unlink", interrupted)
    with pytest.raises(KeyboardInterrupt):
        discard(rooms, records)
    monkeypatch.setattr(discarding.Path, "unlink", unlink)
    assert there()
    # Those that are gone are remembered; those that are there count as there.
    again = Records(Ledger("results/small"), records.places, Path(".snakemake"))
    gone = [name for name in again.ledger.entries if again.is_discarded(name)]
    assert len(gone) == 3
    discard(rooms, again)
    assert there() == []


FIT = "fit_ridge_0_to_4_of_5"


@pytest.mark.parametrize(
    ("rule", "layers", "split"),
    [
        (FIT, "all", False),
        (FIT, [0, 1], True),
        ("fit_ridge_1_3_of_2", [3], True),
        ("fit_ridge_1_3_of_2", [1, 3, 4], False),
        ("predict_selected", "all", True),
        (None, [0, 1], False),
    ],
)
def test_predictions_of_a_model_that_lost_layers_are_made_apart(
    tmp_path, monkeypatch, rule, layers, split
):
    monkeypatch.chdir(tmp_path)
    config = yaml.safe_load(SMALL.read_text(encoding="utf-8"))
    config["models"][0]["layers"] = layers
    rooms = rooms_of(models=config["models"])
    if rule is not None:
        path = rooms.encoding.prediction("subj01", "instructblip", "IC")
        Path(path).parent.mkdir(parents=True)
        Path(path).write_text("predictions")
        places = Places.of(rooms.data.study)
        Ledger(places.root).append([made(places, path, rule)])
    assert ("instructblip" in rooms.encoding.split_models) == split
    jobs = [job for job in rooms.encoding.fit_jobs() if "instructblip" in job.models]
    assert [job.predicts for job in jobs] == [not split]
    names = [job.name for job in rooms.encoding.fit_jobs()]
    assert len(set(names)) == len(names)
