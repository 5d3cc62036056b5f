"""A legend of instructions that says what each was, and how much of the map it won."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.patches import Rectangle

from brainstruct.figures.page import BOLD, Page, widest, wrapped

_SIZE = 6.0  # points
_LINE = 2.7  # mm
_GAP = 1.1  # between entries, mm
_RIM = 3.0  # mm
_SWATCH = 4.4  # with the gap after it, mm
_KEY = 7.0  # least width of keys, mm
_FIRST = 5.2  # where the first entry starts, mm
_TEXT = 45.0  # least width of texts that stand in two columns, mm
_MOST = 5  # columns without texts
_MOST_LINES = 8  # of what a key stands for


class _Column(NamedTuple):
    """Entries below each other: a key, and the lines that say what it stands for."""

    left: float
    entries: Sequence[tuple[str, Sequence[str]]]

    @property
    def tops(self) -> list[float]:
        """Where entries start, and the last one ends, mm below the upper edge."""
        tops = [_FIRST]
        for _, lines in self.entries:
            tops.append(tops[-1] + max(len(lines), 1) * _LINE + _GAP)
        return tops


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
        self._colours, self._notes, self._heading = colours, notes, heading
        said = {key: [part.get(key, "") for part in (tasks or {}, texts or {})] for key in colours}
        self._texts = {key: ": ".join(filter(None, parts)) for key, parts in said.items()}
        named = max(_KEY, BOLD * widest(colours, _SIZE)) + 2 + widest(notes.values(), _SIZE)
        self._end = max(_SWATCH + named, widest([heading], _SIZE))  # of notes, mm

    def height(self, width: float) -> float:
        """Return the height of the legend on a page of a width, mm."""
        return max((column.tops[-1] for column in self._columns(width)), default=_FIRST)

    def draw(self, page: Page, top: float) -> None:
        """Draw the legend `top` mm below the upper edge of a page."""
        canvas = page.canvas(_RIM, top, page.width - 2 * _RIM, self.height(page.width))
        look: dict[str, Any] = {"fontsize": _SIZE, "va": "center_baseline"}
        grey: dict[str, Any] = {"color": "0.35", "ha": "right", **look}
        for column in self._columns(page.width):
            left, end = column.left, column.left + self._end
            canvas.text(end, _FIRST - _LINE / 2, self._heading, **grey)
            for (key, lines), y in zip(column.entries, column.tops, strict=False):
                corner, colour = (left, y + 0.2), self._colours[key]
                canvas.add_patch(Rectangle(corner, 3.4, 2.1, facecolor=colour, edgecolor="0.3"))
                middle = y + _LINE / 2
                canvas.text(left + _SWATCH, middle, key, fontweight="bold", **look)
                canvas.text(end, middle, self._notes.get(key, ""), ha="right", **look)
                for number, line in enumerate(lines):
                    canvas.text(end + 2, middle + number * _LINE, line, **look)

    def _columns(self, width: float) -> list[_Column]:
        """Lay the legend out on a page of a width (mm): entries in equal columns."""
        room, gap = width - 2 * _RIM, 3.0
        told = any(self._texts.values())
        least = self._end + gap + (2 + _TEXT if told else 0)
        columns = max(min(int((room + gap) // least), 2 if told else _MOST), 1)
        pitch = (room + gap) / columns
        entries = [
            (key, wrapped(text, pitch - gap - self._end - 2, _SIZE, _MOST_LINES).splitlines())
            for key, text in self._texts.items()
        ]
        rows = max(-(-len(entries) // columns), 1)
        return [
            _Column(number * pitch, entries[number * rows : (number + 1) * rows])
            for number in range(-(-len(entries) // rows))
        ]
