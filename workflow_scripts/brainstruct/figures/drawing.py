"""A figure and the numbers behind it, published together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from brainstruct.figures.style import journal_style
from brainstruct.store.publishing import publish
from brainstruct.store.tables import write_table


@dataclass(frozen=True)
class Drawing:
    """A figure with its source table.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        What is shown.
    table : pandas.DataFrame
        The numbers that are shown, tidy.
    """

    figure: Figure
    table: pd.DataFrame

    def save(self, stem: str | os.PathLike[str]) -> dict[str, Path]:
        """Publish the figure and its table under one name.

        Parameters
        ----------
        stem : path
            Name without suffix.

        Returns
        -------
        dict
            ``svg``, ``png`` (300 dpi) and ``tsv`` -> the file. The same
            drawing gives the same bytes: no file carries a date.
        """
        paths = {suffix: Path(f"{os.fspath(stem)}.{suffix}") for suffix in ("svg", "png", "tsv")}
        with journal_style():
            with publish(paths["svg"]) as temporary:
                self.figure.savefig(temporary, metadata={"Date": None, "Creator": None})
            with publish(paths["png"]) as temporary:
                self.figure.savefig(temporary, metadata={"Software": None})
        write_table(self.table, paths["tsv"])
        return paths
