"""The configuration from its files, for commands that run without Snakemake."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from brainstruct.config.loading import load_study
from brainstruct.config.sense import REPOSITORY
from brainstruct.config.strict import Given, read_argument, read_strictly
from brainstruct.config.study import Study

DEFAULTS = tuple(
    REPOSITORY / "config" / name
    for name in ("instructions.yaml", "checkpoints.yaml", "config.yaml")
)
"""What every study starts from, in the order of the Snakefile."""


def read_config(files: Sequence[str | Path] = ()) -> dict[str, Any]:
    """Read the defaults and lay files over them, as Snakemake's ``--configfile`` does.

    Parameters
    ----------
    files : sequence of path
        The user's files, the last one on top. Mappings are merged key by key,
        everything else is replaced.

    Raises
    ------
    InputError
        If a file is missing or is no mapping in YAML.
    """
    return merged(_given(files))


def merged(given: Sequence[Given]) -> dict[str, Any]:
    """Lay what files give over each other."""
    found: dict[str, Any] = {}
    for one in given:
        _lay_over(found, one.content)
    return found


def study_of(files: Sequence[str | Path] = ()) -> Study:
    """Read a study, as a command does that runs without Snakemake.

    Raises
    ------
    InputError
        If a file cannot be read, or the configuration has faults: all of them at once.
    """
    given = _given(files)
    return load_study(merged(given), given)


def reread(workflow: Any, config: dict[str, Any]) -> list[Given]:
    """Read again what Snakemake was given: it has kept no lines, and has let much pass.

    What ``--config`` says is laid over `config` as a file would say it. Jobs do not read files: who
    has sent them did. In a module both are the other workflow's.
    """
    if not workflow.modifier.is_main_snakefile():
        return []
    told = [read_argument(entry) for entry in workflow.config_settings.config_args]
    _lay_over(config, merged(told))
    files = workflow.config_settings.configfiles if workflow.is_main_process else ()
    return [*map(read_strictly, files), *told]


def over_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a mapping over the defaults, as if it were read from a file."""
    found = read_config()
    _lay_over(found, config)
    return found


def _given(files: Sequence[str | Path]) -> list[Given]:
    return [read_strictly(path) for path in [*DEFAULTS, *map(Path, files)]]


def _lay_over(under: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, dict):
            if not isinstance(under.get(key), dict):
                under[key] = {}
            _lay_over(under[key], value)
        else:
            under[key] = value


def add_configfile(parser: argparse.ArgumentParser) -> None:
    """Let a command take configuration files as Snakemake does, for `read_config`."""
    parser.add_argument(
        "--configfile",
        nargs="+",
        default=[],
        metavar="FILE",
        help="your configuration, over config/config.yaml; later files win, as in Snakemake",
    )
