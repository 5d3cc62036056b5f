"""Rule tabulate_responses: what one model answered to one instruction, image by image."""

from typing import Any

from brainstruct.jobs.run import log, run_job
from brainstruct.responses.table import collect_responses
from brainstruct.store.tables import write_table


def tabulate_responses(job: Any) -> None:
    """Join the blocks."""
    table = collect_responses(list(job.input))
    log.info(
        "%d responses, %d different, %d empty, %d cut",
        len(table),
        table["response"].nunique(),
        (table["n_tokens"] == 0).sum(),
        table["truncated"].sum(),
    )
    write_table(table, job.output[0])


run_job(tabulate_responses, globals().get("snakemake"))
