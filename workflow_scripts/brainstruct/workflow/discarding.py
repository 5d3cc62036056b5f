"""Deletes embeddings that nothing of the study needs any more; the ledger remembers them."""

from dataclasses import dataclass
from pathlib import Path

from brainstruct.workflow.records import Records
from brainstruct.workflow.rooms import Rooms


@dataclass(frozen=True)
class Freed:
    """What was deleted."""

    files: int = 0
    bytes: int = 0
    waiting: tuple[str, ...] = ()  # models of which something that needs them is not there yet


def discard(rooms: Rooms, records: Records) -> Freed:
    """Delete the embeddings of every model all of whose results are there.

    First the ledger says so, then files go: whoever is interrupted leaves files that
    the next call takes up. What the ledger does not know stays.
    """
    files, size, waiting = 0, 0, []
    for model in rooms.data.study.models:
        paths = [
            rooms.models.embedding(model.key, instruction, block)
            for instruction in rooms.data.study.instructions_of(model)
            for block in rooms.data.blocks
        ]
        name = records.places.name
        there = {name(path): Path(path) for path in paths if Path(path).exists()}
        there = {key: path for key, path in there.items() if key in records.ledger.entries}
        if not there:
            continue
        if not all(Path(result).exists() for result in made_of(rooms, model.key)):
            waiting.append(model.key)
            continue
        records.ledger.discard(there)
        for path in there.values():
            size += path.lstat().st_size
            path.unlink()
        files += len(there)
    return Freed(files, size, tuple(waiting))


def made_of(rooms: Rooms, model: str) -> list[str]:
    """Return everything of the study that is made of the embeddings of a model."""
    encoding, statistics, answers = rooms.encoding, rooms.statistics, rooms.answers
    study = rooms.data.study
    instructions = study.instructions_of(study.model(model))
    found = [answers.answers(*pair) for pair in answers.asked if pair[0] == model]
    for subject in study.subjects:
        found += encoding.fits_of(subject, model)
        found += [encoding.prediction(subject, model, name) for name in instructions]
        if model in statistics.instructed_models and statistics.pairs_of(model):
            found.append(statistics.partition(subject, model))
    return found


def made_of_embeddings(rooms: Rooms) -> list[str]:
    """Return everything of the study that is made of embeddings."""
    return [path for model in rooms.data.study.models for path in made_of(rooms, model.key)]
