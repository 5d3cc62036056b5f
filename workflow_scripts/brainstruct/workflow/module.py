"""How Snakemake was called: for a module of another workflow, with conda."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import brainstruct
from brainstruct.errors import InputError


def module_config(workflow: Any, config: Mapping[str, Any], home: str) -> Mapping[str, Any]:
    """Return the configuration to run with, while the Snakefile in `home` is parsed.

    That is `config`; in a module, the defaults with `config` over them: Snakemake
    skips a module's own ``configfile:`` where the module has a ``config:``. An `InputError`
    if it has a prefix, or another version of this workflow is a module as well.
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


def expected_rooms(workflow: Any) -> list[str] | None:
    """Return the environments of ``envs`` whose packages the doctor's own has.

    Its own where every rule gets an environment by conda; `None`, for all,
    where everything runs in one.
    """
    settings = workflow.deployment_settings
    methods = {str(method) for method in settings.deployment_method} if settings else set()
    return ["doctor"] if any("conda" in method.lower() for method in methods) else None
