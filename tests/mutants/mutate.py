"""Put changes into the library, one by one, and see whether its tests notice.

    python tests/mutants/mutate.py --seed 1 --count 150
    ... --modules 'store/*.py'       of some modules, below workflow_scripts/brainstruct
    ... --resume                     go on with the last run's log (--log names another)
    ... --resume --again             and try what survived in it once more, with all of its tests

Mutants are put into a copy of the repository. Ends with 1 if one survived that ``argued.toml``,
beside this file, does not call equivalent or harmless.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from choosing import ENOUGH, Choice
from forked import LATE
from mutant import Mutant
from sites import PACKAGES, drawn, files
from tree import NOTHING_RAN, ROOT, Tree, digest

ROOMS = (
    *(f"{room}/**/test_*.py" for room in (*PACKAGES, "doctor", "fetch", "planning", "responses")),
    "conformance/test_conformance.py",
)
"""Tests that are asked, below tests."""
SLOW = 900.0
"""Seconds that the tests of one file may take when they are measured."""


def measured(tree: Tree, store: Path) -> dict[str, dict[str, Any]]:
    """Return what every test reaches; only what changed since the last time is measured."""
    tests = tree.root / "tests"
    found = [path for room in ROOMS for path in sorted(tests.glob(room))]
    around = [path for path in tests.rglob("*.py") if not path.name.startswith("test_")]
    around = [path for path in around if "mutants" not in path.parts]
    common = digest(tree.root, [*around, *tree.scripts.rglob("*.py")])
    known = json.loads(store.read_text("utf-8")) if store.exists() else {}
    kept: dict[str, Any] = {}
    start = time.monotonic()
    for path in found:
        file = path.relative_to(tree.root).as_posix()
        key = f"{file} {common} {digest(tree.root, [path])}"
        if key not in known:
            known[key] = tree.measure(file, SLOW)
            print(f"measured {file}: {len(known[key]['tests'])} tests, "
                  f"{time.monotonic() - start:.0f} s", flush=True)  # fmt: skip
            store.write_text(json.dumps(known), encoding="utf-8")
        kept[key] = known[key]
        for name in kept[key]["loaded"]:
            preload(name)
    store.write_text(json.dumps(kept), encoding="utf-8")
    return {test: reached for one in kept.values() for test, reached in one["tests"].items()}


def preload(name: str) -> None:
    """Import what tests will need, once for all mutants."""
    if name.partition(".")[0] in {"brainstruct", "conftest"} or name in sys.modules:
        return
    try:
        importlib.import_module(name)
    except Exception:  # what needs another time or place is imported by the tests themselves
        sys.modules.pop(name, None)


def tried(tree: Tree, choice: Choice, mutant: Mutant) -> dict[str, Any]:
    """Put a mutant in, run its tests, and take it out again."""
    tests = choice.tests_of(mutant)
    if not tests:
        return {"state": "survived", "by": None, "tests": []}
    path = tree.scripts / mutant.file
    content = path.read_bytes()
    path.write_bytes(mutant.put_into(content))
    try:
        status, failed = tree.first_failure({test: choice.seconds([test]) for test in tests})
    finally:
        path.write_bytes(content)
    if status == NOTHING_RAN:
        failed = "no test is found any more"
    state = "survived" if status == 0 else "late" if status == LATE else "killed"
    return {"state": state, "by": failed, "tests": tests if status == 0 else len(tests)}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--modules", help="a glob below workflow_scripts/brainstruct")
    parser.add_argument("--log", type=Path, help="JSON lines; one file for each seed by itself")
    parser.add_argument("--resume", action="store_true", help="go on with the log")
    parser.add_argument("--root", type=Path, default=ROOT, help="another repository")
    parser.add_argument("--again", action="store_true", help="try survivors once more")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # threads do not outlive a fork
    os.environ["HF_HUB_OFFLINE"] = "1"
    results = asked.root / "results/mutants"
    results.mkdir(parents=True, exist_ok=True)
    log = asked.log or results / f"seed-{asked.seed}.jsonl"
    if not asked.resume:
        log.unlink(missing_ok=True)
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    done = {entry["name"]: entry for entry in map(json.loads, lines)}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Tree(Path(folder), asked.root)
        enough = float("inf") if asked.again else ENOUGH
        choice = Choice(tree.root, measured(tree, results / "reached.json"), enough)
        chosen = drawn(tree.scripts, files(tree.scripts, asked.modules), asked.seed, asked.count)
        for number, (name, mutant, diff) in enumerate(chosen, 1):
            if name in done and not (asked.again and done[name]["state"] == "survived"):
                continue
            start = time.monotonic()
            entry = {"name": name, "file": mutant.file, "line": mutant.first, "kind": mutant.kind}
            entry |= {"diff": diff} | tried(tree, choice, mutant)
            entry["seconds"] = round(time.monotonic() - start, 1)
            done[name] = entry
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
            print(f"{number} {entry['state']} {mutant.file}:{mutant.first} {entry['seconds']} s",
                  flush=True)  # fmt: skip
    return report([done[name] for name, _, _ in chosen], asked.root)


def report(entries: list[dict[str, Any]], root: Path) -> int:
    """Print what survived, and counts; return 1 if one survived of which nothing is known."""
    path = root / "tests/mutants/argued.toml"
    argued = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    survivors = [entry for entry in entries if entry["state"] == "survived"]
    for entry in survivors:
        about = argued.get(entry["name"], {})
        known = f"{about['verdict']}: {about['why']}" if about else "SURVIVED"
        print(f"\n{entry['name']} {entry['file']}:{entry['line']} ({entry['kind']}) {known}")
        print(entry["diff"])
        shown = ", ".join(entry["tests"][:5]) or "none that reaches it"
        print(f"{len(entry['tests'])} tests: {shown}")
    states = Counter(entry["state"] for entry in entries)
    verdicts = Counter(argued.get(one["name"], {}).get("verdict", "unknown") for one in survivors)
    minutes = sum(entry["seconds"] for entry in entries) / 60
    counts = f"{states['killed']} killed, {states['late']} ended late"
    counts += f", {states['survived']} survived {dict(verdicts)}"
    print(f"\n{len(entries)} mutants in {minutes:.0f} minutes: {counts}")
    return int("unknown" in verdicts)


if __name__ == "__main__":
    sys.exit(main())
