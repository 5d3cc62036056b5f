"""Results of models, subjects and instructions that a study no longer has: named, never deleted."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from brainstruct.store.files import write_text
from brainstruct.store.ledger import Entry
from brainstruct.workflow.closing import counted
from brainstruct.workflow.records import Records
from brainstruct.workflow.rooms import Rooms
from brainstruct.workflow.targets import names_of

LIST = "leftovers.txt"
"""Among the results: the files that are left, a line each, for `rm`."""

MOST = 5  # things that are named


def said_of_dropped(rooms: Rooms, records: Records) -> list[str]:
    """Say what is left of what the study no longer has, and list the files; or drop the list."""
    left = sorted(leftovers(rooms, records))
    path = Path(rooms.data.root) / LIST
    if not left:
        path.unlink(missing_ok=True)
        return []
    write_text("".join(f"{file}\n" for file, _, _ in left), path)
    size = sum(size for _, size, _ in left) / 1e9
    things = sorted({thing for _, _, thing in left})
    more = f" and {len(things) - MOST} more" if len(things) > MOST else ""
    return [
        f"{counted(len(left), 'result')} ({size:.1f} GB) of what this study no longer has "
        f"({', '.join(things[:MOST])}{more}): listed in {path}. They stay until you delete them:  "
        f"xargs -d '\\n' rm -r < {shlex.quote(str(path))}"
    ]


def leftovers(rooms: Rooms, records: Records) -> Iterator[tuple[str, int, str]]:
    """Iterate over results that are left: the file, its bytes, and of what it is."""
    study = rooms.data.study
    known = {**names_of(rooms), "checkpoint": {model.checkpoint for model in study.models}}
    given = {model.key: study.instructions_of(model) for model in study.models}
    for output, entry in records.ledger.entries.items():
        for name, value in _wildcards(output, entry).items():
            of_model = (
                given.get(entry.wildcards.get("model", "")) if name == "instruction" else None
            )
            file = records.places.path(output)
            if value not in (of_model or known.get(name, (value,))) and os.path.lexists(file):
                yield file, entry.made[output].size, f"{name.replace('_', ' ')} {value}"
                break


def _wildcards(output: str, entry: Entry) -> dict[str, str]:
    """Return what a result is of; a job may embed for several instructions."""
    parts = output.split("/")
    embedded = {"instruction": parts[2]} if parts[0] == "embeddings" else {}
    return {**entry.wildcards, **embedded}
