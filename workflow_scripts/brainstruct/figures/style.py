"""The look that all figures share: type, sizes and a fixed colour per name."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import matplotlib.style
from matplotlib.colors import to_hex
from matplotlib.patheffects import withStroke

from brainstruct.brain.labels import UNCLEAR
from brainstruct.figures.colour_science import further_colours
from brainstruct.store.resources import table_beside

MATPLOTLIBRC = Path(__file__).with_name("matplotlibrc")

SINGLE_COLUMN = 89.0
"""Width of a figure of one journal column, mm."""

WIDE_COLUMN = 136.0
"""Width of a figure of a journal column and a half, mm."""

DOUBLE_COLUMN = 183.0
"""Width of a figure of two journal columns, mm."""

SEQUENTIAL = "viridis"
"""Colour map of layers and continuous values: perceptually uniform, colour-blind safe."""

MISSING = "#d9d9d9"
"""Colour of a cell without a value."""

HALO = [withStroke(linewidth=1.6, foreground="white")]
"""Path effect of letters on a picture."""

NO_WINNER = {UNCLEAR: "#ffffff"}
"""Colour of where nobody is a clear winner: no instruction's, model's or concept's."""

CURVATURE = ("#d1d1d1", "#a8a8a8")
"""Greys of gyri and sulci under a flatmap."""

BIVARIATE = (("#260825", "#2bbfe9"), ("#b83206", "#fdda37"))
"""Corners of a two-dimensional colour scale: bottom left and right, top left and right.

Neither is the same as a grey of the folds on its diagonal. Chosen like the
palettes below: nine colours on a regular grid are at least 22 apart in CIELAB,
from each other and from the greys of the cortex, to all four kinds of eyes.
"""

_COLOURS = table_beside(__file__, "colours.toml")
"""Of the paper's instructions and models."""


@contextmanager
def journal_style() -> Iterator[None]:
    """Draw and save in the study's style, whatever the user's own settings are."""
    with matplotlib.style.context(MATPLOTLIBRC, after_reset=True):
        yield


def instruction_colours(study: Sequence[str]) -> dict[str, str]:
    """Give each instruction of a study its colour: a fixed one of the paper, or a further one.

    Further colours are given in order, so only the study's whole list gives the same ones in every
    figure, page and export; what is added at its end changes no other's.
    """
    return _assign(study, _COLOURS["instructions"], (*CURVATURE, "white"))


def model_colours(study: Sequence[str]) -> dict[str, str]:
    """Give each model of a study its colour; see `instruction_colours`."""
    return _assign(study, _COLOURS["models"], ("white",))


def layer_colours(n_layers: int) -> list[str]:
    """Give each layer of a model its colour, from the first (layer 0) to the last."""
    scale = matplotlib.colormaps[SEQUENTIAL].resampled(n_layers)
    return [to_hex(colour) for colour in scale(range(n_layers))]


def _assign(
    keys: Sequence[str], fixed: Mapping[str, str], background: Sequence[str]
) -> dict[str, str]:
    unknown = [key for key in dict.fromkeys(keys) if key not in fixed]
    further = further_colours([*fixed.values(), *background], len(unknown))
    palette = {**fixed, **dict(zip(unknown, further, strict=True))}
    return {key: palette[key] for key in keys}
