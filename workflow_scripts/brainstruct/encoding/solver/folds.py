"""Cross-validation folds as sets of held-out rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def held_out_rows(splits: list[tuple[Rows, Rows]], n_samples: int) -> list[Rows]:
    """Return the held-out rows of each fold.

    Parameters
    ----------
    splits : list of (training rows, held-out rows)
        As a scikit-learn splitter yields them.
    n_samples : int
        Rows of the design matrix.

    Raises
    ------
    ValueError
        If a fold is empty, or does not train on all the rows that it does not
        hold out: the solver takes the held-out rows away from the whole.
    """
    everything = np.arange(n_samples)
    for number, (train, held) in enumerate(splits):
        if not len(train) or not len(held):
            raise ValueError(f"fold {number} has {len(train)} training and {len(held)} held rows")
        both = np.sort(np.concatenate([train, held]))
        if not np.array_equal(both, everything):
            raise ValueError(
                f"fold {number} trains on {len(train)} and holds out {len(held)} of {n_samples} "
                "rows; this solver needs every row in exactly one of the two (use solver='svd')"
            )
    return [held for _, held in splits]


def as_rows(splitter: Any, targets: Any) -> list[tuple[Rows, Rows]]:
    """List the splits of a scikit-learn splitter."""
    return [(np.asarray(train), np.asarray(held)) for train, held in splitter.split(targets)]
