"""Suggestions for misspelt names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the closest known name, else the empty string.

    Examples
    --------
    >>> did_you_mean("aplhas", ["alphas", "folds"])
    " Did you mean 'alphas'?"
    >>> did_you_mean("zzz", ["alphas"])
    ''
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean '{by_lower[close[0]]}'?" if close else ""


def unknown_name(where: str, names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return one sentence for every name that is not known.

    Parameters
    ----------
    where : str
        The configuration key that holds the names.
    names, known : iterable of str
        What is there, and what may be there.
    """
    choices = list(known)
    return [
        f"{where}: unknown name '{name}'; there are {', '.join(choices)}."
        f"{did_you_mean(name, choices)}"
        for name in names
        if name not in choices
    ]


def require_known(kind: str, name: str, known: Iterable[str]) -> str:
    """Return `name` if it is one of `known`; for validators.

    Raises
    ------
    ValueError
        If it is not. `kind` says what it is a name of.
    """
    choices = list(known)
    if name not in choices:
        raise ValueError(f"unknown {kind} '{name}'; there are {', '.join(choices)}")
    return name
