"""A legend of instructions that says what each was, and how much of the map it won."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
_GREY = "0.35"


@dataclass(frozen=True)
class Entry:
    """One line of a legend.

    Attributes
    ----------
    key, colour : str
        Name and colour.
    note : str
        Set after the key, such as a share.
    lines : tuple of str
        What the key stands for.
    """

    key: str
    colour: str
    note: str
    lines: tuple[str, ...]


class Legend:
    """Entries in columns, laid out before they are drawn so that a page can make room.

    Parameters
    ----------
    colours : mapping
        Key -> colour, in the order of the legend.
    notes : mapping
        Key -> note after the key.
    heading : str
        What the notes are.
    texts, tasks : mapping, optional
        Key -> text and kind of task of an instruction.
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
        self._described = bool(texts or tasks)
        self._note_column = widest(list(notes.values()), _SIZE) + 2
        self._key_column = max(_KEY_COLUMN, _BOLD * widest(list(colours), _SIZE) + 2)
        lead = _SWATCH + 1 + self._key_column + self._note_column
        self._columns = (
            2 if self._described else max(min(int((DOUBLE_COLUMN - 2 * _RIM) // (lead + 3)), 5), 1)
        )
        room = (DOUBLE_COLUMN - 2 * _RIM) / self._columns - lead - 3
        self._entries = [
            Entry(key, colour, notes.get(key, ""), _description(key, texts, tasks, room))
            for key, colour in colours.items()
        ]

    @property
    def height(self) -> float:
        """Height of the legend, mm."""
        return _FIRST + max((_height(column) for column in self._in_columns()), default=0.0)

    def draw(self, page: Page, top: float) -> None:
        """Draw the legend `top` mm below the upper edge of a page."""
        canvas = page.canvas(_RIM, top, page.width - 2 * _RIM, self.height)
        pitch = (page.width - 2 * _RIM) / self._columns
        text: dict[str, Any] = {"fontsize": _SIZE, "va": "center_baseline"}
        for index, column in enumerate(self._in_columns()):
            x, y = index * pitch, _FIRST
            end = x + _SWATCH + 1 + self._key_column + self._note_column - 2
            canvas.text(end, _FIRST - _LINE / 2, self._heading, ha="right", color=_GREY, **text)
            for entry in column:
                canvas.add_patch(
                    Rectangle((x, y + 0.2), _SWATCH, 2.1, facecolor=entry.colour, edgecolor="0.3")
                )
                middle = y + _LINE / 2
                x_key = x + _SWATCH + 1
                canvas.text(x_key, middle, entry.key, fontweight="bold", **text)
                canvas.text(end, middle, entry.note, ha="right", **text)
                for number, line in enumerate(entry.lines):
                    canvas.text(end + 2, middle + number * _LINE, line, **text)
                y += _height([entry])

    def _in_columns(self) -> Sequence[Sequence[Entry]]:
        rows = -(-len(self._entries) // self._columns)
        return [self._entries[first : first + rows] for first in range(0, len(self._entries), rows)]


def _description(
    key: str, texts: Mapping[str, str] | None, tasks: Mapping[str, str] | None, room: float
) -> tuple[str, ...]:
    task = (tasks or {}).get(key, "")
    text = (texts or {}).get(key, "")
    whole = f"{task}: {text}" if task and text else task or text
    return tuple(textwrap.wrap(whole, letters_in(room, _SIZE)))


def _height(entries: Sequence[Entry]) -> float:
    return sum(max(len(entry.lines), 1) * _LINE + _GAP for entry in entries)
