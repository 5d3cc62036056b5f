"""Suggestions for misspelt names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from pydantic import AfterValidator


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the closest known name, else the empty string."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean '{by_lower[close[0]]}'?" if close else ""


def unknown_name(where: str, names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return one sentence for every name at a key of the configuration that is not known."""
    choices = list(known)
    return [
        f"{where}: unknown name '{name}'; there are {', '.join(choices)}."
        f"{did_you_mean(name, choices)}"
        for name in names
        if name not in choices
    ]


def one_of(kind: str, known: Iterable[str]) -> AfterValidator:
    """Make a validator that refuses names which are not known; `kind` says of what."""
    choices = list(known)

    def require(name: str) -> str:
        if name not in choices:
            raise ValueError(f"unknown {kind} '{name}'; there are {', '.join(choices)}")
        return name

    return AfterValidator(require)
