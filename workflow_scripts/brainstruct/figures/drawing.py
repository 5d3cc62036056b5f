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
    """A figure, and the tidy table of the numbers that it shows."""

    figure: Figure
    table: pd.DataFrame

    def save(self, stem: str | os.PathLike[str]) -> dict[str, Path]:
        """Publish the figure and its table under one name, to which suffixes are added.

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
