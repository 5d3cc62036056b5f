"""Outputs as a few numbers: exact ones as digests, others as sums that allow for rounding.

Machines differ in the last digits of matrix products, and what is fitted to them in some
more; sums are compared within `TOLERANCE` of the largest value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from memory import kept

TOLERANCE = {"float64": 1e-4, "float32": 1e-4, "float16": 2e-3}
"""Of the largest value of an output, by its type."""

LEAST = {"edge_gain": 0.01}
"""Scale, at least, of what may be a small difference of correlations in single precision."""

STAMP = "provenance"
"""Attribute that says what a file came from, not what was computed."""

Reduced = dict[str, Any]


def reduce_all(outputs: dict[str, object]) -> dict[str, Reduced]:
    """Return name -> `reduce` of everything that outputs hold."""
    return {name: reduce(name, values) for name, values in _parts(outputs)}


def _parts(outputs: dict[str, object]) -> Iterator[tuple[str, np.ndarray]]:
    for name, output in outputs.items():
        if isinstance(output, Path) and output.suffix == ".nc":
            yield from _of_dataset(name, kept(output))
        elif isinstance(output, xr.Dataset):
            yield from _of_dataset(name, output)
        else:
            text = output.read_text("utf-8") if isinstance(output, Path) else output
            yield name, np.asarray(text)


def _of_dataset(name: str, stored: xr.Dataset) -> Iterator[tuple[str, np.ndarray]]:
    said: dict[str, Any] = {}
    for key, variable in stored.variables.items():
        yield f"{name} {key}", variable.values
        said[str(key)] = [list(variable.dims), {k: str(v) for k, v in variable.attrs.items()}]
    for key, value in stored.attrs.items():
        if isinstance(value, float):
            yield f"{name} {key}", np.asarray(value)
        elif key != STAMP:
            said[f"attribute {key}"] = np.asarray(value).tolist()
    yield f"{name} names", np.asarray(json.dumps(said, sort_keys=True))


def reduce(name: str, values: np.ndarray) -> Reduced:
    """Reduce one array: numbers with a fraction to sums and extremes, all else to a digest."""
    if values.dtype.kind != "f":
        whole = values.astype(np.int64) if values.dtype.kind in "iub" else values.astype(str)
        return {"digest": _digest([values.dtype.kind, values.shape, whole.tolist()])}
    known = np.isfinite(values)
    numbers = np.where(known, values, 0).astype(np.float64).ravel()
    signs = np.random.default_rng(list(name.encode())).uniform(-1, 1, (3, numbers.size))
    sums = [*(signs @ numbers / max(1, numbers.size) ** 0.5), numbers.min(), numbers.max()]
    return {
        "type": str(values.dtype),
        "digest": _digest([values.shape, values[~known].astype(str).tolist(), known.tolist()]),
        "sums": [float(f"{number:.7g}") for number in sums],
    }


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def differences(stored: dict[str, Reduced], found: dict[str, Reduced]) -> list[str]:
    """Say which outputs differ, and by how much."""
    said = [f"{name} is gone" for name in stored.keys() - found.keys()]
    said += [f"{name} is new" for name in found.keys() - stored.keys()]
    for name in sorted(stored.keys() & found.keys()):
        least = LEAST.get(name.split()[-1], np.finfo(float).tiny)
        if fault := _difference(stored[name], found[name], least):
            said.append(f"{name} {fault}")
    return said


def _difference(stored: Reduced, found: Reduced, least: float) -> str:
    if stored.get("type") != found.get("type"):
        return f"changed its type, {stored.get('type')} -> {found.get('type')}"
    if stored["digest"] != found["digest"]:
        numbers = "type" in stored
        return "changed its shape, or where it has numbers" if numbers else "changed"
    if "type" not in stored:
        return ""
    before, after = np.array(stored["sums"]), np.array(found["sums"])
    scale = max(np.abs(before[3:]).max(), least)
    change, allowed = np.abs(after - before).max() / scale, TOLERANCE[stored["type"]]
    if change <= allowed:
        return ""
    return f"changed by {change:.2g} of its largest value (rounding: up to {allowed:g})"
