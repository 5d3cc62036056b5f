"""The ledger of a results folder: what made each output, from what, and what it then was.

``ledger/{stage}.jsonl``, a file for each folder of the results, holds a line for each job. A line
begins with its checksum: one that is damaged, or was cut, is as good as none, and costs a look at
what it spoke of. Values that many jobs share (long parameters, lists of inputs) stand once, in
lines of their own. Jobs of many machines cannot append to one file on every file system, so each
publishes its entry in ``ledger/new``, and the next run that starts or ends on its own takes them
in.
"""

import fcntl
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

from brainstruct.store.files import write_text
from brainstruct.store.fingerprint import WHOLE, digest_of, sample_of, size_of, time_of
from brainstruct.store.publishing import publish

FOLDER, NEW = "ledger", "new"
ELSEWHERE = "elsewhere"  # stage of outputs that are no results, such as a data set
SHARED = 64  # characters from which a value stands in a line of its own


class Made(NamedTuple):
    """An output as it was when it was made."""

    size: int  # bytes
    time: int  # of modification, ns
    digest: str  # of all of it
    sample: str  # of pieces, if it is large; see `sample_of`

    @classmethod
    def of(cls, path: Path) -> Self:
        """Look at an output; links are followed, but have their own time."""
        size = size_of(path)
        sample = sample_of(path) if size > WHOLE else ""
        return cls(size, time_of(path), digest_of(path), sample)

    def is_still(self, path: Path, *, wholly: bool = False) -> bool:
        """Whether a file has this content; `wholly`: to the last byte, be it large."""
        if size_of(path) != self.size:
            return False
        if self.sample and not wholly:
            return sample_of(path) == self.sample
        return digest_of(path) == self.digest


@dataclass(frozen=True)
class Entry:
    """A job that has been done."""

    rule: str
    wildcards: Mapping[str, str]
    params: Mapping[str, str]  # name -> value as Python writes it
    inputs: tuple[str, ...]
    made: Mapping[str, Made]
    seconds: float
    peak_mb: int
    at: float  # end, seconds since the epoch
    cpu: float = 0.0  # seconds of processors, with what the job has waited for
    gpus: int | None = None  # that it asked for; older lines do not say

    @classmethod
    def of_job(cls, job: Any, rule: str, **measured: Any) -> Self:
        """Say of a job of Snakemake what it was; `measured` is the rest of the fields."""
        return cls(
            rule=rule,
            wildcards={name: str(value) for name, value in job.wildcards.items()},
            params={name: repr(value) for name, value in job.params.items()},
            inputs=tuple(sorted({str(path) for path in job.input})),
            **measured,
        )


class Ledger:
    """All that is known of some stages of a results folder."""

    def __init__(self, root: str | os.PathLike[str], stages: Iterable[str] | None = None) -> None:
        self.folder = Path(root) / FOLDER
        self.entries: dict[str, Entry] = {}  # output -> the last job that made it
        self.discarded: set[str] = set()  # outputs that were deleted on purpose
        self.unreadable = 0  # lines that were damaged
        self._stages = None if stages is None else set(stages)
        self._lines: dict[str, int] = {}
        for path in self._files():
            self._read(path)

    def new(self) -> list[tuple[Path, Entry]]:
        """Return entries of jobs that nobody has taken in yet, the oldest first."""
        found = []
        for path in sorted((self.folder / NEW).glob("*/*.json")):
            if self._stages is not None and path.parent.name not in self._stages:
                continue
            with suppress(FileNotFoundError):  # another run takes it in at this moment
                content = _checked(path.read_text(encoding="utf-8").strip())
                if content is not None:
                    found.append((path, _entry(content, {})))
                else:
                    self.unreadable += 1
        return sorted(found, key=lambda pair: pair[1].at)

    def add(self, entry: Entry) -> None:
        """Remember a job, here and not on disk."""
        self.entries |= dict.fromkeys(entry.made, entry)
        self.discarded -= entry.made.keys()

    def append(self, entries: Iterable[Entry]) -> None:
        """Write entries down, each in the file of every stage that it made something of."""
        found = list(entries)
        for entry in found:
            self.add(entry)
        for stage in {stage_of(name) for entry in found for name in entry.made}:
            with self._writing(stage) as (write, known):
                for entry in found:
                    made = {k: v for k, v in entry.made.items() if stage_of(k) == stage}
                    if made:
                        for line in _lines_of(replace(entry, made=made), known):
                            write(line)
                        self._lines[stage] = self._lines.get(stage, 0) + 1

    def discard(self, outputs: Iterable[str]) -> None:
        """Write down that outputs are deleted on purpose, before they are."""
        names = sorted(outputs)
        self.discarded |= set(names)
        for stage in sorted({stage_of(name) for name in names}):
            with self._writing(stage) as (write, _):
                write({"gone": [name for name in names if stage_of(name) == stage]})

    def compact(self) -> None:
        """Write files anew in which most lines speak of outputs that were made again since."""
        for stage, count in list(self._lines.items()):
            names = [name for name in self.entries if stage_of(name) == stage]
            alive = {id(self.entries[name]): self.entries[name] for name in names}
            if count <= 2 * len(alive) + 50:
                continue
            known: set[str] = set()
            lines = []
            for entry in alive.values():
                made = {k: v for k, v in entry.made.items() if self.entries.get(k) is entry}
                made = {k: v for k, v in made.items() if stage_of(k) == stage}
                lines += list(_lines_of(replace(entry, made=made), known))
            gone = sorted(name for name in self.discarded if stage_of(name) == stage)
            lines += [{"gone": gone}] if gone else []
            write_text("".join(map(_line, lines)), self.folder / f"{stage}.jsonl")
            self._lines[stage] = len(alive)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Keep other runs from writing; whether nobody else does, and that can be known."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held = True
            except OSError:  # held, or a file system without locks
                held = False
            yield held

    def _files(self) -> list[Path]:
        if self._stages is None:
            return sorted(self.folder.glob("*.jsonl"))
        paths = (self.folder / f"{stage}.jsonl" for stage in sorted(self._stages))
        return [path for path in paths if path.is_file()]

    def _read(self, path: Path) -> None:
        values: dict[str, Any] = {}
        count = 0
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            content = _checked(line)
            if content is None:
                self.unreadable += 1
            elif "value" in content:
                values[content["value"]] = content["is"]
            elif "gone" in content:
                self.discarded.update(content["gone"])
            else:
                count += 1
                with suppress(KeyError):  # a shared value was in a line that is damaged
                    self.add(_entry(content, values))
        self._lines[path.stem] = count

    @contextmanager
    def _writing(self, stage: str) -> Iterator[tuple[Any, set[str]]]:
        """Append lines to a stage's file, in one piece."""
        path = self.folder / f"{stage}.jsonl"
        self.folder.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes() if path.is_file() else b""
        lines = before.decode(errors="replace").splitlines()
        values = filter(None, (_checked(line) for line in lines if '{"value":' in line[:20]))
        known = {content["value"] for content in values}
        text: list[str] = ["\n"] if before and not before.endswith(b"\n") else []
        yield (lambda content: text.append(_line(content))), known
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(handle, "".join(text).encode())
            os.fsync(handle)
        finally:
            os.close(handle)


def stage_of(output: str) -> str:
    """Return the folder of the results that an output is in, or `ELSEWHERE`."""
    first, _, rest = output.partition("/")
    return first if rest and first and not first.startswith((".", "<")) else ELSEWHERE


def write_entry(entry: Entry, root: str | os.PathLike[str]) -> None:
    """Publish a job's entry for the next run to take in, stage by stage, as readers look for it."""
    for stage in {stage_of(output) for output in entry.made}:
        made = {name: one for name, one in entry.made.items() if stage_of(name) == stage}
        name = hashlib.sha256(min(made).encode()).hexdigest()[:16]
        with publish(Path(root) / FOLDER / NEW / stage / f"{name}.json") as temporary:
            temporary.write_text(_line(_plain(replace(entry, made=made))), encoding="utf-8")


def _plain(entry: Entry) -> dict[str, Any]:
    content = asdict(entry)
    content["made"] = {name: list(made) for name, made in entry.made.items()}
    return content


def _line(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return f"{zlib.crc32(text.encode()):08x} {text}\n"


def _checked(line: str) -> dict[str, Any] | None:
    """Return what a line says; `None` if it is damaged."""
    checksum, _, text = line.partition(" ")
    if f"{zlib.crc32(text.encode(errors='replace')):08x}" != checksum:
        return None
    content: dict[str, Any] = json.loads(text)
    return content


def _lines_of(entry: Entry, known: set[str]) -> Iterator[dict[str, Any]]:
    """Yield the lines that say an entry: values that are not `known` yet, then itself."""
    content = _plain(entry)
    shared: dict[str, Any] = {}

    def short(value: Any) -> Any:
        text = json.dumps(value)
        if len(text) <= SHARED:
            return value
        name = hashlib.sha256(text.encode()).hexdigest()[:12]
        shared[name] = value
        return f"#{name}"

    content["params"] = {name: short(value) for name, value in entry.params.items()}
    content["inputs"] = short(list(entry.inputs))
    yield from ({"value": name, "is": value} for name, value in shared.items() if name not in known)
    known.update(shared)
    yield content


def _entry(content: Mapping[str, Any], values: Mapping[str, Any]) -> Entry:
    def full(value: Any) -> Any:
        return values[value[1:]] if isinstance(value, str) and value.startswith("#") else value

    return Entry(
        rule=content["rule"],
        wildcards=content["wildcards"],
        params={name: full(value) for name, value in content["params"].items()},
        inputs=tuple(full(content["inputs"])),
        made={name: Made(*made) for name, made in content["made"].items()},
        seconds=content["seconds"],
        peak_mb=content["peak_mb"],
        at=content["at"],
        cpu=content.get("cpu", 0.0),  # older lines do not say
        gpus=content.get("gpus"),
    )
