"""A legend of instructions that says what each was, and how much of the map it won."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.patches import Rectangle

from brainstruct.figures.page import Page, letters_in, widest
from brainstruct.figures.style import DOUBLE_COLUMN

_SIZE = 6.0  # points
_LINE = 2.7  # mm
_GAP = 1.1  # between entries, mm
_RIM = 3.0  # mm
_SWATCH = 3.4  # mm
_KEY_COLUMN = 8.0  # from the swatch to what follows the key, mm
_FIRST = 5.2  # where the first entry starts, mm
_BOLD = 1.15  # width of bold type over that of plain type
_WIDTH = DOUBLE_COLUMN - 2 * _RIM  # mm


class _Entry(NamedTuple):
    """A key of the legend, the note after it, and lines that say what the key stands for."""

    key: str
    colour: str
    note: str
    lines: Sequence[str]

    @property
    def height(self) -> float:
        """Height with the gap below, mm."""
        return max(len(self.lines), 1) * _LINE + _GAP


class Legend:
    """Entries in columns, laid out before they are drawn so that a page can make room.

    Each key has a colour, in the order of the legend, a note after it (the heading says what notes
    are), and if it is an instruction its text and kind of task.
    """

    def __init__(
        self,
        colours: Mapping[str, str],
        notes: Mapping[str, str],
        heading: str,
        texts: Mapping[str, str] | None = None,
        tasks: Mapping[str, str] | None = None,
    ) -> None:
        self._heading = heading
        key_column = max(_KEY_COLUMN, _BOLD * widest(colours, _SIZE) + 2)
        note_column = widest(notes.values(), _SIZE) + 2
        self._lead = _SWATCH + 1 + key_column + note_column
        columns = 2 if texts or tasks else max(min(int(_WIDTH // (self._lead + 3)), 5), 1)
        self._pitch = _WIDTH / columns
        letters = letters_in(self._pitch - self._lead - 3, _SIZE)
        entries = []
        for key, colour in colours.items():
            said = [part.get(key, "") for part in (tasks or {}, texts or {})]
            lines = textwrap.wrap(": ".join(filter(None, said)), letters)
            entries.append(_Entry(key, colour, notes.get(key, ""), lines))
        rows = -(-len(entries) // columns)
        self._columns = [
            entries[first : first + rows] for first in range(0, len(entries), max(rows, 1))
        ]

    @property
    def height(self) -> float:
        """Height of the legend, mm."""
        heights = (sum(entry.height for entry in column) for column in self._columns)
        return _FIRST + max(heights, default=0.0)

    def draw(self, page: Page, top: float) -> None:
        """Draw the legend `top` mm below the upper edge of a page."""
        canvas = page.canvas(_RIM, top, _WIDTH, self.height)
        text: dict[str, Any] = {"fontsize": _SIZE, "va": "center_baseline"}
        for index, column in enumerate(self._columns):
            x, y = index * self._pitch, _FIRST
            end = x + self._lead - 2
            canvas.text(end, _FIRST - _LINE / 2, self._heading, ha="right", color="0.35", **text)
            for entry in column:
                swatch = Rectangle(
                    (x, y + 0.2), _SWATCH, 2.1, facecolor=entry.colour, edgecolor="0.3"
                )
                canvas.add_patch(swatch)
                middle = y + _LINE / 2
                canvas.text(x + _SWATCH + 1, middle, entry.key, fontweight="bold", **text)
                canvas.text(end, middle, entry.note, ha="right", **text)
                for number, line in enumerate(entry.lines):
                    canvas.text(end + 2, middle + number * _LINE, line, **text)
                y += entry.height
