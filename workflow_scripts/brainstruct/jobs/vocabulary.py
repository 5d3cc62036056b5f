"""What the arguments of jobs mean: one name, one meaning, in every rule and script."""

from __future__ import annotations

MEANINGS: dict[str, str] = {}
