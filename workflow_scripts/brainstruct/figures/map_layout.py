"""Where maps and their captions stand on a page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from brainstruct.figures.page import BOLD, overhang, wrapped
from brainstruct.figures.style import DOUBLE_COLUMN, SINGLE_COLUMN, WIDE_COLUMN

CAPTION_SIZE = 7.5
"""Size of captions, points."""

WIDTHS = SINGLE_COLUMN, WIDE_COLUMN, DOUBLE_COLUMN
"""Widths that pages may have, mm."""

_RIM = 2.0  # mm
_TALLEST = 105.0  # of a map, mm
_SHORTEST = 15.0  # of a map, whatever stands below it, mm
_PAGE = 225.0  # of all maps, mm: what a journal's page leaves beside a caption
_CAPTION = 5.0  # mm
_ENOUGH = 0.64  # of the largest area that maps could have on any page


class Place(NamedTuple):
    """A map's upper left corner and size, mm, and its caption in lines."""

    left: float
    top: float
    width: float
    height: float
    caption: str


@dataclass(frozen=True)
class MapLayout:
    """Maps in rows, on a page of a width; lengths are mm, and what stands below takes `below`."""

    width: float
    height: float
    below: float
    places: list[Place]

    @classmethod
    def best(
        cls,
        shapes: Sequence[float],
        captions: Sequence[str],
        below: Callable[[float], float],
        columns: int,
    ) -> Self:
        """Choose the smallest page, of the widths of journals, on which maps are not small.

        `shapes` are heights over widths; `below` says the height of what stands below on a page of
        a width, infinite where it does not fit. Rows have a multiple of some columns.
        """
        each = [
            cls._of(shapes, captions, width, across, room)
            for width, room in ((width, below(width)) for width in WIDTHS)
            for across in range(columns, len(shapes) + columns, columns)
        ]
        each = [one for one in each if one.height + one.below <= _PAGE + _CAPTION] or each
        areas = [sum(place.width * place.height for place in one.places) for one in each]
        good = [one for one, area in zip(each, areas, strict=True) if area >= _ENOUGH * max(areas)]
        return min(good, key=lambda one: one.width * (one.height + one.below))

    @classmethod
    def _of(
        cls,
        shapes: Sequence[float],
        captions: Sequence[str],
        width: float,
        across: int,
        below: float,
    ) -> Self:
        """Fill rows with maps, all of a row of one height; the last one is as if it were full."""
        caption = _CAPTION if any(captions) else 0.0
        rows = [slice(first, first + across) for first in range(0, len(shapes), across)]
        room, top, places = width - _RIM * (across + 1), 0.0, []
        guess = (wrapped(text, room / across, CAPTION_SIZE * BOLD) for text in captions)
        lines = caption + max(overhang(text, CAPTION_SIZE) for text in guess)
        tallest = min((_PAGE - below) / len(rows) - lines - _RIM, _TALLEST)
        for row in rows:
            spans = [1 / shape for shape in shapes[row]]
            needed = sum(spans) * across / len(spans)
            height = min(max(tallest, _SHORTEST), room / needed)
            spare = (room - needed * height) / across  # beside each map
            texts = [
                wrapped(text, span * height + spare, CAPTION_SIZE * BOLD)
                for text, span in zip(captions[row], spans, strict=True)
            ]
            top += caption + max(overhang(text, CAPTION_SIZE) for text in texts)
            left = _RIM
            for text, span in zip(texts, spans, strict=True):
                places.append(Place(left + spare / 2, top, span * height, height, text))
                left += span * height + spare + _RIM
            top += height + _RIM
        return cls(width, top, below, places)
