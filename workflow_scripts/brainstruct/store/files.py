"""Text and JSON on disk, and what is said of a result that is not there."""

import json
import os
from pathlib import Path
from typing import Any

from brainstruct.errors import InputError
from brainstruct.store.faults import reading
from brainstruct.store.publishing import publish


def write_text(text: str, path: str | os.PathLike[str]) -> None:
    """Publish a text file in UTF-8 with Unix line ends."""
    with publish(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(content: object, path: str | os.PathLike[str]) -> None:
    """Publish `content` as indented JSON with sorted keys."""
    write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", path)


def read_json(
    path: str | os.PathLike[str], cure: str, kind: type = dict, what: str = "JSON"
) -> Any:
    """Return the content of a JSON file, which is of a `kind`: dict, list.

    An `InputError` if the file is missing, damaged, or holds something else.
    """
    with reading(path, what, cure):
        content = json.loads(Path(path).read_bytes())
    if not isinstance(content, kind):
        fault = f"holds {type(content).__name__} instead of {kind.__name__}"
        raise InputError(path, f"is no {what}: it {fault}", cure)
    return content


def require_file(path: str | os.PathLike[str]) -> None:
    """Raise an `InputError` if there is no such file, or it may not be looked at."""
    with reading(path, "file", rebuild(path)):
        if not Path(path).is_file():
            raise InputError(path, "does not exist", rebuild(path))


def rebuild(path: str | os.PathLike[str]) -> str:
    """Return the cure of a result that is damaged or missing."""
    return f"Delete it if it is there and rebuild it: snakemake {path}"


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    place = folder.absolute()
    while not place.is_dir():
        place = place.parent
    return place
