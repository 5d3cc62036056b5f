"""Names under columns: level, slanted or upright, whichever fits."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from brainstruct.figures.page import overhang, widest, wrapped

_SIZE = 6.5  # points
_GAP = 1.0  # between names, mm
_SLANTED = 3.4  # narrowest columns whose names can be slanted, mm
_LONGEST = 20.0  # line of a name that is not level, mm
_LINES = 3
_TICK, _LETTER = 1.5, 2.5  # from axes to names, height of a line; mm
_REACH = {0: 0.0, 45: 0.71, 90: 1.0}  # angle -> how far down a line goes, of its width


class ColumnNames:
    """Names of columns that are `pitch` mm apart; they take `height` mm below axes."""

    def __init__(self, names: Sequence[str], pitch: float) -> None:
        room = pitch - _GAP
        self._angle, self._texts = 0, [wrapped(name, room, _SIZE, _LINES + 1) for name in names]
        whole = widest((word for name in names for word in name.split()), _SIZE) <= room
        if not whole or any(text.count("\n") >= _LINES for text in self._texts):
            self._angle = 45 if pitch >= _SLANTED else 90
            self._texts = [wrapped(name, _LONGEST, _SIZE, _LINES) for name in names]
        lines = max((overhang(text, _SIZE) for text in self._texts), default=0.0) + _LETTER
        reach = _REACH[self._angle]
        self.height = _TICK + reach * widest(self._texts, _SIZE) + (lines if reach < 1 else 0)

    def write(self, axes: Axes) -> None:
        """Write the names below columns at 0, 1, ..."""
        look: dict[str, Any] = {"rotation": self._angle, "fontsize": _SIZE}
        if self._angle:
            look |= {"ha": "right", "va": "center", "rotation_mode": "anchor"}
        axes.set_xticks(range(len(self._texts)), self._texts, **look)
