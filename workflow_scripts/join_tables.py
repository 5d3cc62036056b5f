"""Rule join_tables: regional tables of all subjects and models, one below the other."""

from pathlib import Path

import pandas as pd

from brainstruct.jobs.run import script
from brainstruct.store.tables import read_table, write_table


@script
def join_tables(
    *, by_region: list[Path], by_layer: list[Path], alignment_table: Path, layer_table: Path
) -> None:
    """Concatenate in the order of the configuration."""
    for parts, whole in ((by_region, alignment_table), (by_layer, layer_table)):
        tables = [read_table(path, ["subject", "model"]) for path in parts]
        write_table(pd.concat(tables, ignore_index=True), whole)
