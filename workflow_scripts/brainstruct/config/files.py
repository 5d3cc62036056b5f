"""The configuration from its files, for commands that run without Snakemake."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from brainstruct.errors import InputError
from brainstruct.store.faults import refusal

REPOSITORY = Path(__file__).parents[3]

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
    merged: dict[str, Any] = {}
    for path in [*DEFAULTS, *map(Path, files)]:
        _lay_over(merged, _read(path))
    return merged


def over_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a mapping over the defaults, as if it were read from a file."""
    merged = read_config()
    _lay_over(merged, config)
    return merged


def _read(path: Path) -> dict[str, Any]:
    cure = "Name the file of your study; config/README.md explains what it holds"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:  # it may be a pipe
        raise refusal(path, error, "configuration", cure) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(path, f"is no readable YAML ({reason})", "Mend the file") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(path, "holds no mapping of settings", cure)
    return content


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
