"""How Snakemake was called: for a module of another workflow, for answers only, with conda."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import brainstruct
from brainstruct.errors import InputError

ASKING = frozenset({"doctor", "fetch_nsd", "plan"})
"""Targets that must work where the data set is incomplete."""


def module_config(workflow: Any, config: Mapping[str, Any], home: str) -> Mapping[str, Any]:
    """Return the configuration to run with, while the Snakefile in `home` is parsed.

    That is `config`; in a module, the defaults with `config` over them: Snakemake
    skips a module's own ``configfile:`` where the module has a ``config:``.

    Raises
    ------
    InputError
        If the module has a prefix, or another version of this workflow is a
        module as well.
    """
    if workflow.modifier.is_main_snakefile():
        return config
    loaded = Path(brainstruct.__file__).parents[2]
    if loaded.resolve() != Path(home).resolve():
        raise InputError(
            home,
            f"cannot be a module beside another version of itself ({loaded})",
            "Use one version in all modules of a workflow",
        )
    if workflow.modifier.modify_path("results") != "results":
        raise InputError(
            "the module",
            "has a prefix, which Snakemake puts before inputs and outputs, but not before "
            "the folders that jobs are told",
            "Leave out 'prefix:' and 'replace_prefix:', and set 'results' and 'data.nsd_root' "
            "in the module's config instead (docs/module.md)",
        )
    # Only here: a run of its own has no use for it, and is parsed for every job.
    from brainstruct.config.files import over_defaults

    return over_defaults(config)


def asks(arguments: Sequence[str]) -> bool:
    """Return whether a command line names a target in `ASKING`.

    Snakemake knows its targets only after the rules are parsed. Being wrong
    does no harm: where the data set is taken as released, ``check_data`` still
    refuses to go on without all of it.
    """
    # As a module, this workflow may give its rules a prefix: brainstruct_plan.
    return any(word == name or word.endswith(f"_{name}") for word in arguments for name in ASKING)


def expected_rooms(workflow: Any) -> list[str] | None:
    """Return the environments of ``envs`` whose packages the doctor's own has.

    Its own where every rule gets an environment by conda; `None`, for all,
    where everything runs in one.
    """
    settings = workflow.deployment_settings
    methods = {str(method) for method in settings.deployment_method} if settings else set()
    return ["doctor"] if any("conda" in method.lower() for method in methods) else None
