"""Make the README's picture from a figure of the finished demo: `make picture`."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

WIDTH = 1300
COLOURS = 192
CLOSE = 8
"""Levels by which colours differ that count as one."""


def shrink(figure: Path, picture: Path) -> None:
    """Write a figure smaller, in its own commonest colours and without metadata.

    Colours of rare categories would be lost if all were averaged into a palette.
    """
    with Image.open(figure) as image:
        drawn = image.convert("RGB")
    counted = drawn.getcolors(drawn.width * drawn.height) or []
    distinct: dict[tuple[int, ...], tuple[int, ...]] = {}
    for _, colour in sorted(counted, reverse=True):  # white before what is nearly white
        distinct.setdefault(tuple(level // CLOSE for level in colour), colour)
    common = list(distinct.values())[:COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([level for colour in common for level in colour])
    small = drawn.resize((WIDTH, round(drawn.height * WIDTH / drawn.width)), Image.Resampling.BOX)
    small.quantize(palette=palette, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    shrink(Path(sys.argv[1]), Path(sys.argv[2]))
