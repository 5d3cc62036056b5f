"""Voxels of one model against another's."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from saving import saved

from brainstruct.figures.model_scatter import draw_model_scatter


@pytest.fixture
def alignment(voxels):
    values = np.random.default_rng(0).uniform(0, 1, (3, 96))
    values[:, :10] = np.nan
    return xr.DataArray(
        values,
        dims=("model", "voxel"),
        coords={**voxels.coords, "model": ["instructblip", "idefics", "mplug-owl"]},
    )


@pytest.fixture
def regions(voxels):
    left = (voxels["i"] < 4).values
    return {"all": np.ones(96, bool), "left": left, "absent": np.zeros(96, bool)}


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def counts(y, x) -> set[str]:
    return {f"\N{NORTH WEST ARROW} {(y > x).sum()}", f"{(y < x).sum()} \N{SOUTH EAST ARROW}"}


def test_every_pair_and_region_has_a_panel(alignment, regions, tmp_path):
    drawing = draw_model_scatter(alignment, regions, model_labels={"idefics": "IDEFICS"})
    panels = drawing.figure.axes[:-1]
    assert len(panels) == 9
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in panels}) == 1
    assert panels[0].get_ylabel() == "Alignment, IDEFICS"
    saved(drawing, tmp_path / "scatter")


def test_corners_count_voxels_on_each_side(alignment, regions):
    panel = draw_model_scatter(alignment, regions).figure.axes[1]
    x, y = alignment.sel(model="instructblip").values, alignment.sel(model="idefics").values
    used = np.isfinite(x) & regions["left"]
    assert counts(y[used], x[used]) <= set(texts(panel))
    assert f"{used.sum()} voxels" in texts(panel)


def test_hexagons_hold_every_voxel_of_the_region_even_beyond_the_axes(alignment, regions):
    alignment[0, 50] = 40.0
    panels = draw_model_scatter(alignment, regions).figure.axes
    for panel in panels[:2]:
        assert np.sum(panel.collections[0].get_array()) == pytest.approx(100)


def test_panels_share_one_scale_of_density(alignment, regions):
    panels = draw_model_scatter(alignment, regions).figure.axes
    norms = {(panel.collections[0].norm.vmin, panel.collections[0].norm.vmax) for panel in
             panels[:-1] if panel.collections}  # fmt: skip
    assert len(norms) == 1


def test_an_absent_region_says_so(alignment, regions):
    panel = draw_model_scatter(alignment, regions).figure.axes[2]
    assert "no data" in texts(panel)
    assert not panel.collections


def test_the_table_holds_every_voxel_and_its_regions(alignment, regions):
    table = draw_model_scatter(alignment, regions).table
    assert len(table) == 96
    assert table["left"].sum() == 48
    np.testing.assert_array_equal(table["idefics"], alignment.sel(model="idefics"))


def test_voxels_without_a_score_under_either_model_are_left_out(alignment, regions):
    alignment[1, 20:30] = np.nan
    panel = draw_model_scatter(alignment, regions).figure.axes[0]
    assert "76 voxels" in texts(panel)
    x, y = alignment.sel(model="instructblip").values, alignment.sel(model="idefics").values
    assert counts(y, x) <= set(texts(panel))


def test_without_any_score_every_panel_says_so(alignment, regions, tmp_path):
    drawing = draw_model_scatter(alignment * np.nan, regions)
    assert all("no data" in texts(panel) for panel in drawing.figure.axes[:9])
    saved(drawing, tmp_path / "nothing")


def test_one_model_has_nobody_to_meet(alignment, regions):
    with pytest.raises(ValueError, match="two models"):
        draw_model_scatter(alignment[:1], regions)
