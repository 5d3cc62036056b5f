"""Tables of finished studies, with what their columns mean; and which models they have."""

import os
from pathlib import Path

import pandas as pd

from brainstruct.dictionary.describe import describe
from brainstruct.errors import InputError
from brainstruct.results.available import RUN, available, near
from brainstruct.store.arrays import open_dataset, provenance
from brainstruct.store.tables import read_table

NO_INSTRUCTION = "none"
"""Key under which models that follow no instructions have their scores."""


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


def load_models(results: str | os.PathLike[str]) -> pd.DataFrame:
    """List the models that have scores in a folder of results.

    An `InputError` if there are no scores.

    Returns
    -------
    pandas.DataFrame
        By key of the model, in order of keys: ``family`` (the code that runs
        it), ``checkpoint`` (a digest of its files), ``random`` (whether its
        weights were drawn), ``instructions`` (tuple of keys, empty if it
        follows none), ``n_layers`` (hidden states, token embeddings included),
        ``layers`` (tuple: those that were fitted) and ``subjects`` (tuple).
    """
    root = Path(results)
    found = available(root)
    keys = sorted({key for models in found.values() for key in models})
    rows = []
    for key in keys:
        subjects = tuple(subject for subject, models in found.items() if key in models)
        with open_dataset(root / "scores" / subjects[0] / f"{key}.nc", ["r"]) as scores:
            run = provenance(scores)["embedding"]
            given = [str(name) for name in scores["instruction"].values]
            rows.append(
                {
                    "family": str(run["family"]),
                    "checkpoint": str(run["checkpoint"]["digest"]),
                    "random": run["random_seed"] is not None,
                    "instructions": tuple(name for name in given if name != NO_INSTRUCTION),
                    "n_layers": int(run["n_layers"]),
                    "layers": tuple(int(layer) for layer in scores["layer"].values),
                    "subjects": subjects,
                }
            )
    return pd.DataFrame(rows, index=pd.Index(keys, name="model"))
