"""What jobs ask the scheduler for: more at every attempt."""

from __future__ import annotations

from collections.abc import Callable


def grow(amount: int) -> Callable[..., int]:
    """Return a resource function: `amount`, doubled with every attempt after the first.

    A job that was killed for memory (MB) or time (minutes) comes back with more of it.
    """

    def resource(wildcards: object, attempt: int) -> int:  # noqa: ARG001 - Snakemake names them
        return amount << (attempt - 1)

    return resource
