"""Tables of finished studies, with what their columns mean."""

import os
from pathlib import Path

import pandas as pd

from brainstruct.dictionary.describe import describe
from brainstruct.errors import InputError
from brainstruct.results.available import RUN, near
from brainstruct.store.tables import read_table


def load_table(results: str | os.PathLike[str], name: str) -> pd.DataFrame:
    """Load a table of a study.

    `results` is its folder; `name` a path below ``tables`` in it, without suffix (``alignment``,
    ``rois/SUBJECT/instructblip``), or below the results (``stimuli/SUBJECT``,
    ``figures/roi_bars``). ``attrs["columns"]`` of the table says what each column means. An
    `InputError` if there is no such table; it says which there are.
    """
    root = Path(results)
    for path in (root / "tables" / f"{name}.tsv", root / f"{name}.tsv"):
        if path.is_file():
            table = read_table(path)
            table.attrs["columns"] = describe(path.relative_to(root).as_posix(), table.columns)
            return table
    tables = root / "tables"
    there = sorted(
        path.relative_to(tables).with_suffix("").as_posix() for path in tables.rglob("*.tsv")
    )
    raise InputError(
        tables, f"has no '{name}'{near(name, there)} (it has {', '.join(there) or 'none'})", RUN
    )
