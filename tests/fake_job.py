"""A job as Snakemake hands it to a script, without Snakemake."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class Named(list):
    """Files or values in a row; those under ``""`` have no name."""

    def __init__(self, items: Mapping[str, Any]) -> None:
        self._items = dict(items)
        for value in items.values():
            self.extend(value if isinstance(value, list) else [value])

    def items(self):
        return [(name, value) for name, value in self._items.items() if name]

    def get(self, name, default=None):
        return self._items.get(name, default)


def fake_job(rule: str, log: Path | None = None, threads: int = 1, **parts: Any) -> SimpleNamespace:
    """Build a job; `parts` are input, output, params, wildcards, resources and config."""
    named = ("input", "output", "params", "wildcards", "resources")
    outputs = Named(parts.get("output", {}))
    results = str(Path(outputs[0]).parent) if outputs else "results"
    return SimpleNamespace(
        rule=rule,
        threads=threads,
        log=[] if log is None else [str(log)],
        config={"results": results} | parts.get("config", {}),
        **{part: Named(parts.get(part, {})) for part in named},
    )
