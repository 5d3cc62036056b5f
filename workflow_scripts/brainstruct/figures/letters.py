"""Letters of every script in figures: fonts that have them, and a word where none has."""

from functools import cache
from typing import Any

from matplotlib import get_data_path
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, FontManager, FontPath, findfont, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

_LOST = "\N{REPLACEMENT CHARACTER}"
NOTE = f"{_LOST}: no font here has the letter (Debian: fonts-noto)"


def find_letters(figure: Figure) -> None:
    """Give texts fonts that have what the figures' own lacks.

    A letter that no font of the machine has becomes a replacement character, and a word along the
    right edge says why.
    """
    lost = False
    for text in figure.findobj(Text):
        said = text.get_text()
        lacking = set(said) - {"\n"} - _letters(str(findfont(text.get_fontproperties())), 0)
        if not lacking:
            continue
        fonts = _fonts_with(frozenset(lacking))
        text.set_fontfamily([*text.get_fontfamily(), *(entry.name for entry in fonts)])
        for letter in lacking.difference(*(_letters(one.fname, one.index) for one in fonts)):
            said, lost = said.replace(letter, _LOST), True
        text.set_text(said)
    if lost:
        look: dict[str, Any] = {"rotation": 90, "ha": "right", "va": "center"}
        figure.text(0.998, 0.5, NOTE, fontsize=5, color="0.35", **look)


@cache
def _letters(path: str, index: int) -> frozenset[str]:
    return frozenset(map(chr, FT2Font(FontPath(path, index)).get_charmap()))


@cache
def _fonts_with(letters: frozenset[str]) -> list[FontEntry]:
    """Return as few fonts of the machine as have the most of some letters: plain ones first."""
    chosen = _choose(letters, fontManager)
    if letters.difference(*(_letters(one.fname, one.index) for one in chosen)):
        chosen = _choose(letters, FontManager())  # installed since matplotlib made its list?
        for path in {one.fname for one in chosen} - {one.fname for one in fontManager.ttflist}:
            fontManager.addfont(path)
    return chosen


def _choose(letters: frozenset[str], manager: FontManager) -> list[FontEntry]:
    own = get_data_path()  # fonts of formulas, whose codes mean other signs
    found = [entry for entry in manager.ttflist if not entry.fname.startswith(own)]
    found.sort(key=lambda one: ("Sans" not in one.name, one.weight != 400, one.style, one.name))
    chosen: list[FontEntry] = []
    while found:
        best = max(found, key=lambda entry: len(letters & _letters(entry.fname, entry.index)))
        had = _letters(best.fname, best.index)
        if not letters & had:
            break
        chosen.append(best)
        letters -= had
    return chosen
