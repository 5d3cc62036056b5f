"""A figure and the numbers behind it, published together."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from brainstruct.figures.letters import find_letters
from brainstruct.figures.style import journal_style
from brainstruct.store.publishing import publish
from brainstruct.store.tables import write_table


@dataclass(frozen=True)
class Drawing:
    """A figure with its source table: the numbers that are shown, tidy."""

    figure: Figure
    table: pd.DataFrame

    def save(self, svg: Path, png: Path, table: Path) -> None:
        """Publish the figure (the PNG with 300 dpi) and its table.

        The same drawing gives the same bytes: no file carries a date.
        """
        with journal_style():
            find_letters(self.figure)
            with publish(svg) as temporary:
                self.figure.savefig(temporary, metadata={"Date": None, "Creator": None})
            with publish(png) as temporary:
                self.figure.savefig(temporary, metadata={"Software": None})
        write_table(self.table, table)
