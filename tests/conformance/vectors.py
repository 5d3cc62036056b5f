"""Compare what the costly stages compute with what they did, or write it down anew.

    python tests/conformance/vectors.py              compare; ends with 1 if something differs
    python tests/conformance/vectors.py --write      write down outputs whose number rose
    ... --inputs-changed                             and those whose seeded inputs changed

Names of units, as in ``seeded.py``, choose some of them.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2] / "workflow_scripts"))  # behind PYTHONPATH

from memory import in_memory
from reduction import Reduced, differences, reduce_all
from seeded import NUMBERS, UNITS, WHERE

VECTORS = Path(__file__).with_name("vectors.json")
COMMAND = "make conformance-vectors"
PACKAGES = (
    "torch", "transformers", "tokenizers", "sentencepiece", "numpy", "scipy", "scikit-learn",
    "himalaya", "pandas", "xarray", "h5py", "h5netcdf", "nibabel", "pillow",
)  # fmt: skip


@dataclass(frozen=True)
class Vector:
    """What a unit gave: under which numbers and versions, and its outputs, reduced."""

    numbers: dict[str, int]
    versions: dict[str, str]
    outputs: dict[str, Reduced]


@cache
def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for all units of this run."""
    return tempfile.TemporaryDirectory(prefix="conformance-")


def compute(name: str) -> Vector:
    """Run a unit."""
    folder = Path(scratch().name, name)
    folder.mkdir()
    with in_memory():
        outputs = reduce_all(UNITS[name].run(folder))
    return Vector(
        {number: NUMBERS[number] for number in UNITS[name].numbers},
        {package: version(package) for package in PACKAGES},
        outputs,
    )


def read() -> dict[str, Vector]:
    """Read what is stored."""
    content = json.loads(VECTORS.read_text("utf-8")) if VECTORS.exists() else {}
    return {name: Vector(**vector) for name, vector in content.items()}


def write(vectors: Mapping[str, Vector]) -> None:
    """Write an output a line, for people who read changes."""
    lines = []
    for name in UNITS:
        if name in vectors:
            one = vectors[name]
            outputs = ",\n".join(
                f"  {json.dumps(output)}: {json.dumps(reduced)}"
                for output, reduced in sorted(one.outputs.items())
            )
            lines.append(
                f'"{name}": {{\n "numbers": {json.dumps(one.numbers)},\n'
                f' "versions": {json.dumps(one.versions)},\n "outputs": {{\n{outputs}\n }}\n}}'
            )
    VECTORS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def fault(name: str, stored: Vector | None, found: Vector) -> str:
    """Say what is wrong with a unit, and what to do; nothing if it gives what it did."""
    if stored is None:
        return f"{name} has no vector yet: run {COMMAND}"
    changed = differences(stored.outputs, found.outputs)
    if not changed:
        return ""
    lines = [f"{name}: {len(changed)} of {len(stored.outputs)} outputs are not what they were:"]
    lines += [f"  {one}" for one in changed[:8]] + ["  .."] * (len(changed) > 8)
    versions = [
        f"{package} {before} -> {found.versions.get(package)}"
        for package, before in stored.versions.items()
        if found.versions.get(package) != before
    ]
    if versions:
        lines.append(f"They were written under other versions: {', '.join(versions)}.")
    if risen(stored, found):
        lines.append(f"A number rose: write them anew ({COMMAND}).")
    else:
        lines.append("If no result was to change, mend the code. If this is meant, or an upgrade's")
        lines.append(f"doing: raise the number {' or '.join(map(place_of, stored.numbers))},")
        lines.append(f"run {COMMAND}, and say in CHANGELOG.md which results change.")
        lines.append("If the seeded inputs changed and no stage: ARGS=--inputs-changed.")
    return "\n".join(lines)


def place_of(number: str) -> str:
    """Name a number, and the file in which it stands."""
    kind = number.partition(" ")[0] if " " in number else "stage"
    return f"of {number} ({WHERE[kind]})"


def risen(stored: Vector, found: Vector) -> set[str]:
    """Return the numbers that are not those the vector was written under."""
    return {name for name, number in found.numbers.items() if stored.numbers.get(name) != number}


def needless(stored: Mapping[str, Vector], found: Mapping[str, Vector]) -> list[str]:
    """Say which numbers rose although none of their outputs changed."""
    reasons: dict[str, bool] = {}
    for name, vector in found.items():
        if name in stored:
            changed = bool(differences(stored[name].outputs, vector.outputs))
            for number in risen(stored[name], vector):
                reasons[number] = reasons.get(number, False) or changed
    return [
        f"the number {place_of(number)} is {NUMBERS[number]} and its outputs are what they were: "
        "put it back, or results are made anew for nothing"
        for number, changed in reasons.items()
        if not changed
    ]


def refused(stored: Mapping[str, Vector], found: Mapping[str, Vector]) -> list[str]:
    """Say which vectors cannot be written down, because no number rose."""
    return [
        fault(name, stored[name], vector)
        for name, vector in found.items()
        if name in stored
        and differences(stored[name].outputs, vector.outputs)
        and not risen(stored[name], vector)
    ]


def main(arguments: Iterable[str]) -> int:
    """Compare or write; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("units", nargs="*", choices=[*UNITS, []], metavar="UNIT")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--inputs-changed", action="store_true")
    options: Any = parser.parse_args([*arguments])
    logging.disable(logging.WARNING)
    stored = read()
    found = {name: compute(name) for name in options.units or UNITS}
    problems = needless(stored, found)
    if not options.write:
        problems += filter(
            None, (fault(name, stored.get(name), one) for name, one in found.items())
        )
    elif not options.inputs_changed:
        problems += refused(stored, found)
    if problems:
        print("\n\n".join(problems))
        return 1
    if options.write:
        write({name: one for name, one in stored.items() if name in UNITS} | found)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
