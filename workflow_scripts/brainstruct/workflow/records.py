"""Gives Snakemake back what it knew: records of jobs, and times of files, out of the ledger.

Snakemake keeps its records in the clone that a run was started from. Results that were moved,
copied, restored, touched, or are met by another clone have none, or wrong ones, and times of their
copying. Before the graph is built, whoever controls the run looks at the ledger, and where a file
is still what the ledger says, its record is written and its time set as it was. Then Snakemake
decides, and explains, as if nothing had happened.
"""

import ast
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from snakemake.persistence import RECORD_FORMAT_VERSION, MetadataRecord
from snakemake.persistence.file import FilePersistence

from brainstruct.store.files import write_text
from brainstruct.store.fingerprint import set_time, time_of
from brainstruct.store.ledger import Entry, Ledger, Made, stage_of
from brainstruct.workflow.places import Places

KEPT = ".snakemake"  # in the folder a run is started from
AT_LEAST = "layers"
"""Parameter of embeddings that may have been made with more: these are still what is asked for."""
NOTES = "ledgers"  # below it: which records were given back, for each results folder


class Records:
    """Snakemake's records of the results of a study, in the clone it is run from."""

    def __init__(
        self,
        ledger: Ledger,
        places: Places,
        kept: Path = Path(KEPT),
        layers: Mapping[str, list[int]] = MappingProxyType({}),
    ) -> None:
        # Key of a model -> layers that its embeddings must have at least.
        self._layers = layers
        self.ledger, self.places, self._kept = ledger, places, kept
        where = hashlib.sha256(str(Path(places.root).resolve()).encode()).hexdigest()[:12]
        self._notes_file = kept / NOTES / f"{where}.json"
        self._notes: dict[str, str] = {}
        with suppress(OSError, ValueError):  # only says which records need no look
            self._notes = json.loads(self._notes_file.read_text(encoding="utf-8"))

    def give_back(self) -> int:
        """Bring records and times in line with the ledger; return how many were not."""
        mended = 0
        persistence = None
        notes: dict[int, str] = {}  # of jobs: many outputs share one, and all are looked at
        for output, entry in self.ledger.entries.items():
            path, made = Path(self.places.path(output)), entry.made[output]
            if id(entry) not in notes:
                notes[id(entry)] = self._note(entry)
            note = notes[id(entry)]
            # What is gone is remembered, too: it may lie between what is there, or be discarded.
            time = time_of(path) if os.path.lexists(path) else made.time
            if time == made.time and self._notes.get(output) == note:
                continue
            if path.exists() and not made.is_still(path):
                self._notes.pop(output, None)
                continue  # whoever reads it says so
            if time != made.time:
                with suppress(PermissionError):  # another's file: it counts as new
                    set_time(path, made.time)
            persistence = persistence or FilePersistence(path=self._kept)
            persistence._write_record(str(path), self._record(entry))
            self._notes[output] = note
            mended += 1
        if mended:
            self._write_notes()
        return mended

    def take_in(self) -> int:
        """Write new entries down with the times that Snakemake has given the files since."""
        with self.ledger.alone() as alone:
            self.ledger = Ledger(self.places.root)  # jobs may have written to it
            pending = self.ledger.new()
            if not pending:
                return 0
            entries = [self._settled(entry) for _, entry in pending]
            self.ledger.append(entry for entry in entries if entry.made)
            for path, _ in pending:
                path.unlink(missing_ok=True)
            if alone:
                self.ledger.compact()
        self._agree(entries)
        return len(pending)

    def adopt(self, dag: Any) -> None:
        """Write down, of a graph, what is done and was lost from the ledger.

        Snakemake has just held its own records against it, and found nothing to do.
        """
        found = []
        for job in dag.jobs:
            outputs = {self.places.name(str(path)): Path(path) for path in job.output}
            if not outputs or dag.needrun(job) or not dag.workflow.persistence.has_metadata(job):
                continue
            lost = outputs.keys() - self.ledger.entries.keys()
            if lost and all(path.exists() for path in outputs.values()):
                entry = Entry.of_job(
                    job,
                    job.rule.name,
                    made={str(path): Made.of(path) for path in outputs.values()},
                    seconds=0.0,
                    peak_mb=0,
                    at=max(path.stat().st_mtime for path in outputs.values()),
                )
                found.append(self.named(entry))
        self.ledger.append(found)

    def changed_since(self, stages: Iterable[str]) -> list[Path]:
        """Return files of some stages whose content is not what was written."""
        wanted = set(stages)
        found = []
        for output, entry in self.ledger.entries.items():
            path = Path(self.places.path(output))
            known = stage_of(output) in wanted and path.exists()
            if known and not entry.made[output].is_still(path, wholly=True):
                found.append(path)
        return sorted(found)

    def _agree(self, entries: Iterable[Entry]) -> None:
        """Note of which entries Snakemake's records say the same: these need no look again.

        Others are those whose code was edited between the start of the run and of the
        job, or whose records were lost.
        """
        persistence = FilePersistence(path=self._kept)
        for entry in entries:
            for output in entry.made:
                record = persistence._read_record(self.places.path(output))
                if record is not None and (record.input, record.params) == (
                    self._inputs(entry),
                    self._params(entry),
                ):
                    self._notes[output] = self._note(entry)
        self._write_notes()

    def named(self, entry: Entry) -> Entry:
        """Return an entry with names for paths."""
        name, names_in = self.places.name, self.places.names_in
        return replace(
            entry,
            params={key: names_in(value) for key, value in entry.params.items()},
            inputs=tuple(map(name, entry.inputs)),
            made={name(output): made for output, made in entry.made.items()},
        )

    def look_at_new(self) -> None:
        """Let the ledger know, for this run, what is not taken in yet."""
        for _, entry in self.ledger.new():
            self.ledger.add(self._settled(entry))

    def _settled(self, entry: Entry) -> Entry:
        """Return a new entry as it is written down: of files that are still there."""
        named = self.named(entry)
        made = {}
        for output, one in named.made.items():
            with suppress(OSError):
                time = time_of(Path(self.places.path(output)))
                made[output] = one._replace(time=self._since(output, one, named) or time)
        return replace(named, made=made)

    def _since(self, output: str, made: Made, entry: Entry) -> int | None:
        """Return since when an output is as it is, if it was made again and is what it was.

        What was made of it before need not be made again. An output that was discarded, or has
        more layers now, counts as what it was: bits of GPUs differ, what it depends on does not.
        """
        before = self.ledger.entries.get(output)
        if before is None or before.inputs != entry.inputs:
            return None
        if self.lasting(before) != self.lasting(entry):
            return None
        old = before.made[output]
        kept = output not in self.ledger.discarded and before.params == entry.params
        if kept and old.digest != made.digest:
            return None
        paths = (Path(self.places.path(source)) for source in entry.inputs)
        newer = any(path.exists() and time_of(path) > old.time for path in paths)
        return None if newer else old.time

    def _inputs(self, entry: Entry) -> list[str]:
        """Return the inputs of a job as Snakemake finds them now, those discarded left out."""
        return sorted(
            self.places.path(name) for name in entry.inputs if not self.is_discarded(name)
        )

    def is_discarded(self, name: str) -> bool:
        """Whether an output was deleted on purpose, and is not back, or lacks layers."""
        if not Path(self.places.path(name)).exists():
            return name in self.ledger.discarded
        entry = self.ledger.entries.get(name)
        return entry is not None and not self._suffices(entry)

    def _suffices(self, entry: Entry) -> bool:
        """Whether embeddings have the layers that are asked for now; anything else does."""
        wanted = self._wanted(entry)
        had = entry.params.get(AT_LEAST)  # before there was this parameter, all were kept
        return wanted is None or had is None or set(wanted) <= set(ast.literal_eval(had))

    def _wanted(self, entry: Entry) -> list[int] | None:
        """Return the layers that embeddings are to have; `None` for what is none."""
        if stage_of(min(entry.made, default="")) != "embeddings":
            return None
        return self._layers.get(entry.wildcards.get("model", ""))

    def lasting(self, entry: Entry) -> dict[str, str]:
        """Return the parameters of a job but for what embeddings may have more of."""
        if self._wanted(entry) is None:
            return dict(entry.params)
        return {name: value for name, value in entry.params.items() if name != AT_LEAST}

    def _params(self, entry: Entry) -> list[str]:
        """Return the parameters of a job as Snakemake is to find them."""
        params = dict(entry.params)
        wanted = self._wanted(entry)
        if wanted is not None and self._suffices(entry):
            params[AT_LEAST] = repr(wanted)
        return sorted(map(self.places.paths_in, params.values()))

    def _note(self, entry: Entry) -> str:
        """Return the digest of the record that belongs to an entry."""
        content = json.dumps([entry.rule, entry.at, self._inputs(entry), self._params(entry)])
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def _record(self, entry: Entry) -> MetadataRecord:
        return MetadataRecord(
            rule=entry.rule,
            input=self._inputs(entry),
            params=self._params(entry),
            record_format_version=RECORD_FORMAT_VERSION,
            job_hash=zlib.crc32(min(entry.made).encode()),  # tells jobs apart in reports
            starttime=entry.at - entry.seconds,
            endtime=entry.at,
            incomplete=False,
        )

    def _write_notes(self) -> None:
        write_text(json.dumps(self._notes, sort_keys=True), self._notes_file)
