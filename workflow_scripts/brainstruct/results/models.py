"""Which models a finished study has, and how they were run."""

import os
from pathlib import Path

import pandas as pd

from brainstruct.results.available import available
from brainstruct.store.arrays import open_dataset, provenance

NO_INSTRUCTION = "none"
"""Key under which models that follow no instructions have their scores."""


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
