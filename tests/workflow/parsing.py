"""The workflow parsed in this process: its rules, and what Snakemake would record of their jobs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from checkout import REPOSITORY
from snakemake.api import SnakemakeApi
from snakemake.cli import parse_config
from snakemake.io import strip_wildcard_constraints
from snakemake.iocontainers import Wildcards
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

EXAMPLES = {
    "subject": "subj01",
    "participant": "01",
    "model": "instructblip",
    "instruction": "IC",
    "layer": "16",
    "block": "subj01-000",
    "image_set": "subj01",
    "index": "000",
    "checkpoint": "instructblip",
    "surface": "subj01",
}
"""A value of each wildcard."""


@contextmanager
def _at_home():
    """Be in the checkout, and leave Python's path and arguments as they were."""
    before = Path.cwd(), sys.path.copy(), sys.argv.copy()
    os.chdir(REPOSITORY)
    sys.argv[1:] = []
    try:
        yield
    finally:
        os.chdir(before[0])
        sys.path[:], sys.argv[:] = before[1:]


def parse(*files: str, told: Sequence[str] = (), **changes: Any) -> list[Any]:
    """Parse the Snakefile; return its rules.

    Parameters
    ----------
    *files : str
        Given with ``--configfile``.
    told : sequence of str
        What a command gives with ``--config``.
    **changes
        The same as values, of which no text is to be read.
    """
    with _at_home(), SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(
                config=parse_config(told) | changes,
                configfiles=[Path(REPOSITORY, file) for file in files],
                config_args=list(told),
            ),
            snakefile=REPOSITORY / "Snakefile",
            workdir=REPOSITORY,
        )._workflow
        return list(workflow.rules)


def script_of(rule: Any) -> str:
    """Name of the script of a rule that has one."""
    return Path(rule.script).stem


def wildcards_of(rule: Any) -> Wildcards:
    """Values that the wildcards of a rule may have."""
    chosen = dict(EXAMPLES)
    allowed = rule.wildcard_constraints.get("model")
    if allowed and allowed != "[A-Za-z0-9-]+":
        models = allowed.split("|")
        chosen["model"] = chosen["model"] if chosen["model"] in models else models[0]
    return Wildcards(fromdict={name: chosen[name] for name in rule.wildcard_names})


def values(items: Any, wildcards: Wildcards) -> dict[str, Any]:
    """Inputs, outputs or parameters of a job by name; those without a name as one list."""
    found: dict[str, Any] = {}
    named: set[int] = set()
    for name, (start, end) in items._get_names():
        span = [
            _plain(item, wildcards) for item in items[start : start + 1 if end is None else end]
        ]
        found[name] = span[0] if end is None else span
        named |= set(range(start, start + 1 if end is None else end))
    rest = [_plain(item, wildcards) for at, item in enumerate(items) if at not in named]
    return found | ({"": rest} if rest else {})


def _plain(item: Any, wildcards: Wildcards) -> Any:
    value = item(wildcards) if callable(item) else item
    if isinstance(value, str) and "{" in value:
        return strip_wildcard_constraints(str(value)).format(**wildcards)
    return str(value) if isinstance(value, str) else value


def recorded(rule: Any) -> dict[str, Any]:
    """All that makes a job run again when it changes: its files and its parameters."""
    wildcards = wildcards_of(rule)
    parts = {"input": rule.input, "output": rule.output, "params": rule.params}
    return {
        f"{part}.{name}": value
        for part, items in parts.items()
        for name, value in values(items, wildcards).items()
    }
