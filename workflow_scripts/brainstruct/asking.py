"""How Snakemake was called, as far as targets that ask instead of computing need to know."""

from __future__ import annotations

from typing import Any

ASKING = frozenset({"doctor", "fetch_nsd"})
"""Targets that must work where the data set is incomplete."""


def asks_only(workflow: Any) -> bool:
    """Return whether Snakemake was called for nothing but targets in `ASKING`.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        The workflow that is being parsed.
    """
    settings = workflow.dag_settings  # none where nothing is run, as by --lint
    targets = {str(target) for target in settings.targets} if settings is not None else set()
    return bool(targets) and targets <= ASKING


def expected_rooms(workflow: Any) -> list[str] | None:
    """Return the environments of ``envs`` whose packages the doctor's own has.

    Returns
    -------
    list of str or None
        Its own where every rule gets an environment by conda; `None`, for all,
        where everything runs in one.
    """
    settings = workflow.deployment_settings
    methods = {str(method) for method in settings.deployment_method} if settings else set()
    return ["doctor"] if any("conda" in method.lower() for method in methods) else None
