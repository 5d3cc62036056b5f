"""How Snakemake was called, as far as targets that ask instead of computing need to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

ASKING = frozenset({"doctor", "fetch_nsd", "plan"})
"""Targets that must work where the data set is incomplete."""


def asks(arguments: Sequence[str]) -> bool:
    """Return whether a command line names a target in `ASKING`.

    Snakemake knows its targets only after the rules are parsed. Being wrong
    does no harm: where the data set is taken as released, ``check_nsd`` still
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
