"""Rule join_tables: regional tables of all subjects and models, one below the other."""

from typing import Any

import pandas as pd

from brainstruct.jobs.run import run_job
from brainstruct.store.tables import read_table, write_table


def join_tables(job: Any) -> None:
    """Concatenate in the order of the configuration."""
    for kind in ("alignment", "layers"):
        parts = [read_table(path, ["subject", "model"]) for path in job.input[kind]]
        write_table(pd.concat(parts, ignore_index=True), job.output[kind])


run_job(join_tables, globals().get("snakemake"))
