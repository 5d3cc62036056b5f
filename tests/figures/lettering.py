"""Where the letters of a figure are printed."""

from __future__ import annotations

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from brainstruct.figures.style import journal_style


def printed(figure: Figure) -> list[Text]:
    """All texts of a figure that can be seen."""
    texts = [*figure.texts, *(text for one in figure.legends for text in one.get_texts())]
    for axes in figure.axes:
        texts += [*axes.texts, axes.title, axes._left_title]
        if axes.axison:
            texts += [axes.xaxis.label, axes.yaxis.label]
            for axis in (axes.xaxis, axes.yaxis):
                low, high = sorted(axis.get_view_interval())
                texts += [
                    one.label1 for one in axis.get_major_ticks() if low <= one.get_loc() <= high
                ]
    return [text for text in texts if text.get_visible() and text.get_text()]


def misprinted(figure: Figure) -> list[str]:
    """Texts that leave the page or meet another one; slanted ones may be beside each other."""
    with journal_style():
        canvas = FigureCanvasAgg(figure)
        figure.draw_without_rendering()
        boxes = {}
        for text in printed(figure):
            box = text.get_window_extent(canvas.get_renderer())
            boxes[text] = box.shrunk(0.96, 0.8)  # line boxes hold room for accents
    page = figure.bbox
    wrong = [
        f"{text.get_text()!r} leaves the page"
        for text, box in boxes.items()
        if box.x0 < page.x0 or box.x1 > page.x1 or box.y0 < page.y0 or box.y1 > page.y1
    ]
    level = [text for text in boxes if text.get_rotation() in (0, 90)]
    return wrong + [
        f"{one.get_text()!r} meets {other.get_text()!r}"
        for one, other in combinations(level, 2)
        if boxes[one].overlaps(boxes[other])
    ]
