"""What files of the user hold, as parameters of the jobs that read them.

Times say little of files from elsewhere: copies have new ones over the same
content, and replacements may have old ones. So rules take such files as ancient
inputs, and digests of samples of them as a parameter. A file is sampled when its
size, times or number on the disk differ from what they were at the last look.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from brainstruct.store.files import write_text
from brainstruct.store.fingerprint import sample_of
from brainstruct.store.ledger import FOLDER
from brainstruct.workflow.places import Places


class Contents:
    """Digests of files that the workflow does not make."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._new = False

    def of(self, files: Iterable[str | Path]) -> dict[str, str]:
        """Return file -> digest, by names that moving does not change."""
        found = {}
        for path in map(Path, files):
            with suppress(FileNotFoundError):  # whoever needs it says so
                name = self._places.name(str(path)).replace("<", "").replace(">", "")
                found[name] = self._digest(path)
        return found

    def write(self) -> None:
        """Keep digests for the next look, if there are new ones."""
        if self._new:
            write_text(json.dumps(self._known, sort_keys=True), self._file)
            self._new = False

    def _digest(self, path: Path) -> str:
        if path.is_dir():
            return sample_of(path)
        status = path.stat()
        stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        known = self._known.get(str(path))
        if known is None or known[:-1] != stamp:
            known = self._known[str(path)] = [*stamp, sample_of(path)]
            self._new = True
        return str(known[-1])

    @cached_property
    def _known(self) -> dict[str, list[int | str]]:
        with suppress(OSError, ValueError):  # costs a look at every file
            known: dict[str, list[int | str]] = json.loads(self._file.read_text(encoding="utf-8"))
            return known
        return {}

    @property
    def _file(self) -> Path:
        return Path(self._places.root) / FOLDER / "contents.json"
