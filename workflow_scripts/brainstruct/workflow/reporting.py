"""Reports of studies that are not finished: they show what is there, and name what is not.

Snakemake itself makes no report as long as one figure or table is missing. What is
missing loses its mark here before Snakemake looks: after the graph is built, whoever
asks for a report (``--report``), with targets or without.
"""

import atexit
import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from brainstruct.store.texts import json_for_scripts

KEY = "missing_from_report"
"""Of the configuration, while a report is made: report/workflow.rst reads it."""

_MOST = 20  # files that are named on the terminal; the report names all


def is_asked(arguments: Iterable[str]) -> bool:
    """Return whether a command line asks Snakemake for a report."""
    return any(word.split("=")[0] == "--report" for word in arguments)


def show_what_is_there(workflow: Any) -> None:
    """Let a report leave out what is missing from a graph, and say so; texts in it run nothing."""
    from snakemake.report.html_reporter import Reporter  # docutils, which others do not wait for

    Reporter.render = json_for_scripts()(Reporter.render)
    if missing := unmark_missing(workflow):
        workflow.config[KEY] = missing
        # At the end: Snakemake warns of every missing file of the study.
        atexit.register(print, said(missing), file=sys.stderr, flush=True)


def unmark_missing(workflow: Any) -> list[str]:
    """Take the mark ``report`` off files that are not there, or incomplete; return them."""
    missing = set()
    for job in workflow.dag.jobs:
        unfinished = bool(workflow.async_run(workflow.persistence.incomplete(job)))
        own = set(map(str, job.output))
        for path in chain(job.output, job.input):
            marked = "report" in getattr(path, "flags", {})
            if marked and ((unfinished and str(path) in own) or not Path(path).exists()):
                del path.flags["report"]
                missing.add(str(path))
    return sorted(missing)


def said(missing: Sequence[str]) -> str:
    """Return what is said on the terminal of missing files."""
    lines = [f"The report shows an unfinished study: {len(missing)} of its files are missing:"]
    lines += [f"  {path}" for path in missing[:_MOST]]
    if len(missing) > _MOST:
        lines.append(f"  and {len(missing) - _MOST} more, which the report names")
    return "\n".join(lines)
