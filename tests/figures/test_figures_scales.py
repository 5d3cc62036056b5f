"""Colour scales of one and of two values."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from brainstruct.figures.colour_science import appearances
from brainstruct.figures.page import Page
from brainstruct.figures.scales import BivariateScale, Scale, limits, round_end
from brainstruct.figures.style import BIVARIATE, CURVATURE


@pytest.mark.parametrize(
    ("values", "beyond"),
    [([0.2, 0.8], "neither"), ([-1, 0.5], "min"), ([2, np.nan], "max"), ([-1, 2], "both")],
)
def test_a_scale_says_where_values_lie_beyond_it(values, beyond):
    assert Scale.of(values, "r", 1).beyond == beyond


def test_a_scale_without_an_end_takes_that_of_the_values():
    scale = Scale.of([np.nan, 3, -2], "r")
    assert (scale.low, scale.high, scale.beyond) == (0, 3, "min")
    assert Scale.of([np.nan], "r").high == 0


def test_values_that_are_not_there_are_transparent():
    painted = Scale("r", 0, 1).paint(np.array([[0.0, np.nan, 1.0]]))
    assert painted[0, :, 3].tolist() == [1, 0, 1]
    assert to_hex(painted[0, 2]) == "#fde725"


@pytest.mark.parametrize(
    ("values", "end"),
    [([0.013], 0.015), ([0.05], 0.05), ([0.4, 0.9], 1.0), ([3.1], 4.0), ([-1.0], 1.0), ([], 1.0)],
)
def test_scales_end_at_round_numbers(values, end):
    assert round_end(values) == pytest.approx(end)


def test_a_few_outliers_do_not_stretch_a_scale():
    assert round_end([*np.full(999, 0.01), 7.0]) == pytest.approx(0.01)


def test_an_axis_holds_its_values_and_a_rim():
    assert limits([[1.0, np.nan], [3.0]], 0.1) == pytest.approx((0.8, 3.2))
    assert limits([np.arange(101.0)], 0.0, (0.05, 0.95)) == pytest.approx((5, 95))
    assert limits([[2.0]], 0.1) == pytest.approx((1.9, 2.1)), "one value has no span"
    assert limits([[np.nan]], 0.1) == (0, 1)


def test_continuous_maps_are_perceptually_uniform():
    steps = np.linspace(0, 1, 33)
    colours = [to_hex(colour) for colour in Scale("r", 0, 1).mappable.cmap(steps)]
    light = appearances(colours)[0][:, 0]
    assert (np.diff(light) > 0).all()
    assert np.diff(light).max() < 1.6 * np.diff(light).mean()


@pytest.fixture
def both() -> BivariateScale:
    return BivariateScale(Scale("x", 0, 1), Scale("y", 0, 2))


def test_corners_have_their_colours_and_ends_hold_what_is_beyond(both):
    x, y = np.array([[0.0, 9.0, -9.0, 1.0, np.nan]]), np.array([[0.0, 0.0, 2.0, 9.0, 1.0]])
    painted = both.paint(x, y)
    assert [to_hex(colour) for colour in painted[0, :4]] == [*BIVARIATE[0], *BIVARIATE[1]]
    assert painted[0, 4, 3] == 0


def test_two_values_are_told_apart_by_any_eyes(both):
    x, y = np.meshgrid([0, 0.5, 1], [0, 1, 2])
    colours = [to_hex(colour) for colour in both.paint(x, y).reshape(-1, 4)]
    for looks in appearances([*colours, *CURVATURE]):
        for (i, a), (j, b) in combinations(enumerate(looks), 2):
            assert (i >= 9 and j >= 9) or np.linalg.norm(a - b) > 20


def test_the_square_legend_has_both_labels_and_ends(both):
    page = Page(40, 40)
    both.draw_square(page, 10, 5, 20)
    axes = page.figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")
    assert axes.get_xlim() + axes.get_ylim() == (0, 1, 0, 2)
    drawn = np.asarray(axes.images[0].get_array())
    assert np.abs(drawn[0, 0, :3] - to_rgb(BIVARIATE[0][0])).max() < 0.02
