"""What a script says of itself when it is run by hand: made from its function's signature."""

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from brainstruct.jobs.binding import FromConfig
from brainstruct.store.resources import table_beside

MEANINGS: dict[str, str] = table_beside(__file__, "vocabulary.toml")
"""Argument -> what it means, in every rule and every script."""


def usage(script: Path, about: str, function: Callable[..., object]) -> str:
    """Return what ``--help`` prints for a script that Snakemake runs; `about` is its docstring."""
    hints = get_type_hints(function, include_extras=True)
    lines = [f"workflow_scripts/{script.name}", *textwrap.wrap(about.strip(), 88), ""]
    lines += [f"{function.__name__}: {inspect.getdoc(function) or ''}".splitlines()[0], ""]
    shown = {name: _type(hints[name]) for name in inspect.signature(function).parameters}
    names, types = (max(map(len, column), default=0) for column in (shown, shown.values()))
    lines += [
        f"  {name.ljust(names)}  {kind.ljust(types)}  {_meaning(name, hints[name])}".rstrip()
        for name, kind in shown.items()
    ]
    lines += ["", "By itself this script does nothing: Snakemake gives it its files and settings."]
    lines += [f"Its rule: grep -n {script.name} rules/*.smk"]
    lines += ["Add -n to a run of Snakemake to see what would be done, --force to do it again."]
    return "\n".join(lines)


def _meaning(name: str, hint: Any) -> str:
    places = [mark.key for mark in get_args(hint) if isinstance(mark, FromConfig)]
    return f"setting {places[0] or 'of the study'}" if places else MEANINGS[name]


def _type(hint: Any) -> str:
    if any(isinstance(mark, FromConfig) for mark in get_args(hint)):
        return _type(get_args(hint)[0])
    if isinstance(hint, type) and get_origin(hint) is None:
        return hint.__name__
    return str(hint).replace("pathlib.", "").replace("typing.", "").replace("brainstruct.", "")
