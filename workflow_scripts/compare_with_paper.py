"""Rule compare_with_paper: what is known of the paper's numbers, beside this study's."""

from pathlib import Path

import pandas as pd

from brainstruct.jobs.run import script
from brainstruct.methods.paper import beside_the_paper
from brainstruct.store.tables import read_table, write_table

PAIRS = ["subject", "model", "family", "label", "a", "b"]


@script
def compare_with_paper(
    *,
    alignment_table: Path,
    layer_table: Path,
    tables: list[Path],
    raced: dict[str, list[str]],
    depths: dict[str, int],
    synthetic: bool,
    table: Path,
) -> None:
    """Write one row for each number or statement of the paper."""
    pairs = [read_table(path, PAIRS) for path in tables]
    ours = {
        "alignment": read_table(alignment_table, ["subject", "instruction", "alignment"]),
        "layers": read_table(layer_table, ["subject", "layer", "alignment"]),
        "partition": pd.concat(pairs) if pairs else pd.DataFrame(columns=PAIRS),
    }
    data = "made-up data: nothing needs to agree" if synthetic else "measured"
    write_table(beside_the_paper(ours, raced, depths, data), table)
