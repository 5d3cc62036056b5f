"""Flat patches: cut out, turned upright and laid side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainstruct.figures.hemisphere import side_by_side, upright
from brainstruct.figures.patch import cut_out
from brainstruct.figures.raster import rasterise


def turned(half, degrees: float, mirrored: bool = False):
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    flat = half.flat @ rotation * ([-1, 1] if mirrored else [1, 1]) + [50, -20]
    return replace(half, flat=flat.astype(np.float32))


def centred(half) -> np.ndarray:
    shown = np.unique(half.flat_triangles)
    return half.flat[shown] - half.flat[shown].mean(axis=0)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(("degrees", "mirrored"), [(0, False), (115, False), (-70, True)])
def test_a_patch_stands_upright_however_it_was_turned(fsaverage, side, degrees, mirrored):
    half = fsaverage[side]
    found = centred(upright(turned(half, degrees, mirrored)))
    np.testing.assert_allclose(found, centred(upright(half)), atol=0.05)
    # fsaverage5's own flat surface, made by hand, stands within ten degrees of it.
    own = centred(half)
    cosine = (found * own).sum() / np.linalg.norm(found) / np.linalg.norm(own)
    assert cosine > np.cos(np.radians(10))


@pytest.mark.parametrize("side", [0, 1])
def test_upright_is_front_outward_and_top_up(fsaverage, side):
    half = upright(turned(fsaverage[side], 200))
    shown = np.unique(half.flat_triangles)
    right_of, above = half.flat[shown].T
    front, top = half.white[shown, 1], half.white[shown, 2]
    outward = -right_of if half.side == "lh" else right_of
    assert np.corrcoef(outward, front)[0, 1] > 0.9
    assert np.corrcoef(above, top)[0, 1] > 0.8


def test_hemispheres_meet_in_the_middle_at_one_height(fsaverage):
    left, right = side_by_side(turned(fsaverage[0], 0), fsaverage[1])
    assert left.flat[np.unique(left.flat_triangles), 0].max() == pytest.approx(0, abs=1e-4)
    assert right.flat[np.unique(right.flat_triangles), 0].min() == pytest.approx(0, abs=1e-4)
    for half in (left, right):
        heights = half.flat[np.unique(half.flat_triangles), 1]
        assert heights.max() == pytest.approx(-heights.min(), abs=1e-3)


def test_triangles_that_bridge_a_cut_are_left_out(fsaverage):
    """A patch lists vertices only; all three corners of a bridge are in it."""
    for half in fsaverage:
        own = cut_out(half.flat_triangles, half.flat, half.middle)
        flat = np.full_like(half.flat, np.nan)
        shown = np.unique(own)
        flat[shown] = half.flat[shown]
        corners = np.isfinite(flat).all(axis=1)[half.triangles].all(axis=1)
        assert corners.sum() > len(own) + 80
        found = cut_out(half.triangles, flat, half.middle)
        np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(own, axis=0))


def strip(length: int, start: int, x: float) -> tuple[np.ndarray, np.ndarray]:
    """A band of twice so many triangles, its first vertex and where it begins."""
    place = np.arange(length + 1)
    points = np.stack([np.repeat(x + place, 2), np.tile([0, 1], length + 1)], axis=1)
    lower = start + 2 * place[:-1]
    triangles = [[lower, lower + 2, lower + 1], [lower + 2, lower + 3, lower + 1]]
    return points.astype(np.float32), np.concatenate(np.swapaxes(triangles, 1, 2)).astype(np.int32)


@pytest.mark.parametrize(("length", "stays"), [(1, False), (3, True), (90, True)])
def test_scraps_are_left_out_and_pieces_are_not(length, stays):
    points, triangles = strip(199, 0, 0)
    more, others = strip(length, len(points), 300)
    flat, every = np.concatenate([points, more]), np.concatenate([triangles, others])
    middle = np.c_[flat, np.zeros(len(flat))]
    kept = cut_out(every, flat, middle)
    np.testing.assert_array_equal(kept, every if stays else triangles)
    flat[0] = np.nan
    assert len(cut_out(every, flat, middle)) == len(kept) - 1
    assert len(cut_out(every, np.full_like(flat, np.nan), middle)) == 0


def test_pixels_are_under_the_triangles_that_hold_their_centres():
    points = np.array([[0, 0], [4, 0], [4, 2], [0, 2]], float)
    image = rasterise(points, np.array([[0, 1, 2], [0, 2, 3]]), 20)
    assert image.inside.shape == (20, 40)
    assert image.inside.all()
    assert image.extent == (0, 4, 0, 2)
    x, y = np.meshgrid((np.arange(40) + 0.5) / 10, 2 - (np.arange(20) + 0.5) / 10)
    place = image.interpolate(points)
    np.testing.assert_allclose(place, np.stack([x.ravel(), y.ravel()], axis=1), atol=1e-9)
    below = y.ravel() < x.ravel() / 2 - 1e-9
    assert (image.corners[below] == [0, 1, 2]).all()
    assert (image.corners[y.ravel() > x.ravel() / 2 + 1e-9] == [0, 2, 3]).all()


def test_holes_and_surroundings_are_outside_and_overlaps_go_to_the_first():
    points = np.array([[0, 0], [3, 0], [0, 3], [3, 3], [1, 1], [2, 1]], float)
    image = rasterise(points, np.array([[0, 1, 2], [0, 1, 3], [4, 5, 4]]), 30)
    assert not image.inside[0, 10] and image.inside[-1, 10]
    overlap = image.interpolate(points)
    shared = (overlap.sum(axis=1) < 2.9) & (overlap[:, 1] < overlap[:, 0] - 0.01)
    assert (image.corners[shared] == [0, 1, 2]).all()
    assert image.weights.sum(axis=1) == pytest.approx(1)
    assert image.weights.min() > -1e-5
