"""Follow the documents in a fresh clone, in an empty environment, command by command.

    python3 tests/fresh_clone/run.py [--quick] [--only README.md] [--folder DIR]

The clone is of the last commit. HOME is an empty folder, and no environment that
is active is on PATH: `make setup` installs everything. config/local.yaml is that
of a small stand-in study, whose data are written first, so that commands run as
they are typed. What is not run, and why, is in commands.toml.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

sys.path.insert(0, str(Path(__file__).parent))

from documents import REPOSITORY, SHOWN, Block, Rules, all_blocks, lines_of

HERE = Path(__file__).parent
KEPT = ("LANG", "LC_ALL", "USER", "TERM", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE")
"""Of the environment, besides PATH and settings of pip: how to reach packages."""

PREPARATION = "the stand-in study's data"
PATIENCE = 60.0
LONGEST = 2 * 3600.0
"""Seconds that a block may take; benchmarks take most of an hour."""

TAIL = 40


@dataclass(frozen=True)
class Outcome:
    """What became of a block."""

    place: str
    result: str
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Clone:
    """A clone, its empty home, and the logs of what ran in it."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "clone"

    @classmethod
    def made(cls, folder: Path) -> Clone:
        """Clone the last commit; a clone that is there is brought up to it."""
        clone = cls(folder)
        if clone.root.is_dir():
            for command in (
                ("fetch", "--quiet", "origin"),
                ("reset", "--quiet", "--hard", "FETCH_HEAD"),
            ):
                subprocess.run(["git", "-C", clone.root, *command], check=True)
        else:
            subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone.root], check=True)
        for name in ("home", "logs"):
            (folder / name).mkdir(exist_ok=True)
        return clone

    def environment(self) -> dict[str, str]:
        """Return what a new user has: no settings, no environment that is active."""
        path = [
            entry
            for entry in os.environ.get("PATH", os.defpath).split(os.pathsep)
            if not (Path(entry).parent / "pyvenv.cfg").is_file()
        ]
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in KEPT or name.startswith("PIP_")
        }
        return {**kept, "PATH": os.pathsep.join(path), "HOME": str(self.folder / "home")}

    def run(self, name: str, *command: str) -> bool:
        """Run a command, its output in a log; whether it ended well, and in time."""
        with self.log(name).open("a", encoding="utf-8") as log:
            print(f"$ {' '.join(command)}", file=log, flush=True)
            with self._started(command, log) as process:
                try:
                    return process.wait(LONGEST) == 0
                except subprocess.TimeoutExpired:
                    print(f"not done after {LONGEST:.0f} s", file=log)
                    return False

    def serves(self, name: str, line: str, url: str) -> bool:
        """Start a command that does not end; whether it is what answers at its address."""
        with self.log(name).open("a", encoding="utf-8") as log:
            if _answers(url):
                print(f"something else answers at {url}", file=log)
                return False
            with self._started(("bash", "-c", line), log) as server:
                until = time.monotonic() + PATIENCE
                while time.monotonic() < until and server.poll() is None:
                    if _answers(url):
                        return server.poll() is None
                    time.sleep(0.5)
        return False

    def log(self, name: str) -> Path:
        """Return the log of a block."""
        return self.folder / "logs" / f"{name.replace('/', '_')}.log"

    @contextmanager
    def _started(self, command: Sequence[str], log: IO[str]) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command that gets no input; end it, and what it started, if it still runs."""
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def prepare(clone: Clone) -> bool:
    """Install everything, and write the stand-in study's data and settings."""
    shutil.copy(HERE / "local.yaml", clone.root / "config/local.yaml")
    files = (str(HERE / "local.yaml"), str(HERE / "synthetic.yaml"))
    return clone.run(PREPARATION, "make", "setup") and clone.run(
        PREPARATION, ".venv/bin/snakemake", "synthetic", "--cores", "2", "--quiet", "rules",
        "--configfile", *files,
    )  # fmt: skip


def follow(clone: Clone, block: Block, rules: Rules, quick: bool) -> tuple[bool | None, str]:
    """Do what a block says: whether it ended well (none: nothing was run), and a note."""
    if (reason := rules.shown.get(rules.key(block))) or block.language in SHOWN:
        return None, reason or f"{block.language}: nothing to run"
    if block.language == "yaml":  # as it is: no data are needed
        example = clone.folder / "example.yaml"
        example.write_text(block.text, encoding="utf-8")
        shown = clone.run(block.place, ".venv/bin/snakemake", "-n", "--quiet", "all",
                          "--configfile", str(example))  # fmt: skip
        return shown, "as a configuration, dry"
    text = rules.filled(block.text)
    if block.language == "python":
        return clone.run(block.place, ".venv/bin/python", "-c", text), ""
    lines = lines_of(text)
    reasons = [rules.reason(line, quick=quick) for line in lines]
    left_out = "; ".join(dict.fromkeys(reason for reason in reasons if reason))
    kept = [":" if reason else line for line, reason in zip(lines, reasons, strict=True)]
    if all(line == ":" or line.startswith("#") for line in kept):
        return None, left_out
    note = f"in part: {left_out}" if left_out else ""
    if not any(map(rules.served, kept)):
        script = "\n".join(kept)
        return clone.run(block.place, "bash", "-eu", "-o", "pipefail", "-c", script), note
    well = True
    for line in kept:
        url = rules.served(line)
        well = well and (
            clone.serves(block.place, line, url)
            if url
            else clone.run(block.place, "bash", "-c", line)
        )
    return well, note


def main() -> int:
    """Follow all documents; return 0 if every block passed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="leave out what takes long")
    parser.add_argument("--only", nargs="+", default=[], help="documents to follow")
    parser.add_argument("--folder", type=Path, help="work here, and keep it (default: temporary)")
    options = parser.parse_args()
    rules = Rules.read()
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="fresh_clone-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    clone = Clone.made(folder)
    outcomes = []
    started = time.monotonic()
    ready = prepare(clone)
    outcomes.append(
        Outcome(PREPARATION, "passed" if ready else "FAILED", time.monotonic() - started)
    )
    _print(outcomes[-1])
    if not ready:
        _print_tail(clone.log(PREPARATION))
    for block in all_blocks(clone.root) if ready else []:
        if options.only and block.document not in options.only:
            continue
        started = time.monotonic()
        well, note = follow(clone, block, rules, options.quick)
        result = {True: "passed", False: "FAILED", None: "not run"}[well]
        outcomes.append(Outcome(block.place, result, time.monotonic() - started, note))
        _print(outcomes[-1])
        if well is False:
            _print_tail(clone.log(block.place))
    failed = [outcome for outcome in outcomes if outcome.result == "FAILED"]
    counts = {
        word: sum(o.result == word for o in outcomes) for word in ("passed", "not run", "FAILED")
    }
    print(f"\n{counts['passed']} passed, {counts['not run']} not run, {counts['FAILED']} failed, "
          f"in {sum(outcome.seconds for outcome in outcomes) / 60:.1f} minutes")  # fmt: skip
    for outcome in failed:
        print(f"FAILED {outcome.place}: {clone.log(outcome.place)}")
    if options.folder is None and not failed:
        shutil.rmtree(folder)
    return 1 if failed else 0


def _print(outcome: Outcome) -> None:
    print(
        f"{outcome.result:8} {outcome.seconds:7.1f} s  {outcome.place:32} {outcome.note}",
        flush=True,
    )


def _print_tail(log: Path) -> None:
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]:
        print(f"    | {line}")


if __name__ == "__main__":
    raise SystemExit(main())
