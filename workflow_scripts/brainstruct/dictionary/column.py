"""The description of a column, as BIDS has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Attributes
    ----------
    description : str
        One or two sentences.
    units : str
        Of numbers that have some; ``arbitrary`` for ratios.
    levels : mapping
        Value -> meaning, where a column has few values.
    """

    description: str
    units: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)

    def as_json(self, levels: Mapping[str, str] | None = None) -> dict[str, object]:
        """Return the entry of a BIDS data dictionary."""
        entry: dict[str, object] = {"Description": self.description}
        if self.units:
            entry["Units"] = self.units
        if known := {**self.levels, **(levels or {})}:
            entry["Levels"] = known
        return entry
