"""Rule plan: what the study will take, as a table and as JSON."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from brainstruct.config.loading import load_study
from brainstruct.jobs.binding import FromConfig
from brainstruct.jobs.run import log, script
from brainstruct.planning.jobs import dry_run
from brainstruct.planning.plan import make_plan
from brainstruct.planning.report import plan_table
from brainstruct.store.files import write_json


@script
def plan(*, config: Annotated[dict[str, Any], FromConfig("")], snakefile: str, path: Path) -> None:
    """Ask Snakemake for the jobs, estimate them, print the table."""
    ask = partial(dry_run, snakefile, config)
    with ThreadPoolExecutor(2) as pool:  # each waits for a Snakemake of its own
        every, remaining = pool.submit(ask, everything=True), pool.submit(ask, everything=False)
        jobs, to_do = every.result(), remaining.result()
    found = make_plan(load_study(config), jobs, to_do)
    write_json(found.model_dump(), path)
    print(f"\n{plan_table(found)}", flush=True)
    log.info("wrote %s", path)
