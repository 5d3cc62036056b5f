from __future__ import annotations

import re

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex

from brainstruct.errors import InputError
from brainstruct.figures.style import SEQUENTIAL, instruction_colours
from brainstruct.figures.viewer import (
    PAGE,
    ViewerMap,
    build_viewer,
    ceiling_map,
    colour_strip,
    maps_of_model,
)
from brainstruct.figures.viewer_index import PORT, viewer_index

TEXTS = {"IC": "Caption it", "IU1": "Name the colour", "VQ2": "Any people?"}


@pytest.fixture
def space(voxels: xr.Dataset) -> xr.Dataset:
    count = voxels.sizes["voxel"]
    return voxels.assign(ceiling_ncsnr=("voxel", np.linspace(0, 0.9, count)))


@pytest.fixture
def winners(space: xr.Dataset) -> xr.Dataset:
    count = space.sizes["voxel"]
    number = np.arange(count)
    return xr.Dataset(
        {
            "instruction_index": ("voxel", (number % 4 - 1).astype(np.int16)),
            "layer": ("voxel", (number % 6 - 1).astype(np.int16)),
            "alignment": ("voxel", np.linspace(-0.2, 1.3, count).astype(np.float32)),
        }
    )


def looked_up(strip: np.ndarray, share: float) -> str:
    """Return the colour that a linearly filtered texture has at a share of its width."""
    place = np.clip(share * strip.shape[1] - 0.5, 0, strip.shape[1] - 1)
    low, part = int(place), place - int(place)
    high = min(low + 1, strip.shape[1] - 1)
    mixed = strip[0, low] * (1 - part) + strip[0, high] * part
    return to_hex(np.round(mixed) / 255)


@pytest.mark.parametrize("count", [1, 2, 10, 33, 81])
def test_every_category_is_looked_up_in_its_own_colour(count):
    colours = [f"#{(7919 * number) % 2**24:06x}" for number in range(count)]
    strip = colour_strip(colours)
    assert strip.shape[0] == 1
    for code, colour in enumerate(colours):
        assert looked_up(strip, code / max(count - 1, 1)) == colour


def test_a_model_with_instructions_has_three_maps(winners, space):
    maps = maps_of_model(
        winners, space, key="instructblip", label="InstructBLIP", n_layers=5, instructions=TEXTS
    )
    assert [entry.name.partition(": ")[2] for entry in maps] == [
        "winning instruction",
        "winning layer",
        "normalised alignment",
    ]
    instruction, layer, alignment = maps
    assert instruction.colours == tuple(instruction_colours(list(TEXTS)).values())
    assert instruction.legend[1] == "IU1: Name the colour"
    assert (instruction.low, instruction.high) == (0, 2)
    expected = matplotlib.colormaps[SEQUENTIAL].resampled(5)(np.arange(5))
    assert layer.colours == tuple(to_hex(colour) for colour in expected)
    assert (layer.low, layer.high) == (0, 4)
    assert (alignment.low, alignment.high, alignment.legend) == (0, 1, ())
    for entry, name in ((instruction, "instruction_index"), (layer, "layer")):
        codes = winners[name].values
        assert np.array_equal(np.isnan(entry.values), codes < 0)
        assert np.array_equal(entry.values.values[codes >= 0], codes[codes >= 0])
        assert {"i", "j", "k"} <= set(entry.values.coords)


def test_without_a_choice_of_instructions_there_is_no_map_of_them(winners, space):
    for texts in ({}, {"IC": "Caption it"}):
        maps = maps_of_model(winners, space, key="vit", label="ViT", n_layers=5, instructions=texts)
        assert [entry.name for entry in maps] == ["ViT: winning layer", "ViT: normalised alignment"]


def test_two_models_may_have_different_instructions(winners, space):
    both = [
        maps_of_model(winners, space, key=key, label=key, n_layers=5, instructions=texts)[0]
        for key, texts in (("a", TEXTS), ("b", {"SR": "Where", "IC": "Caption it", "CR": "Why"}))
    ]
    assert both[0].colour_map != both[1].colour_map


def test_data_of_another_volume_are_refused(s1_store, winners, space, tmp_path):
    with pytest.raises(InputError, match="100 x 100 x 31"):
        build_viewer(
            tmp_path / "viewer",
            [ceiling_map(space, "ncsnr")],
            subject="S1",
            transform="fullhead",
            packed=tmp_path,
            volume_shape=(8, 4, 3),
            title="",
        )
    assert list(tmp_path.iterdir()) == []


def test_maps_need_names_of_their_own(s1_store, space, tmp_path):
    twice = [ceiling_map(space, "ncsnr")] * 2
    with pytest.raises(ValueError, match="same name"):
        build_viewer(
            tmp_path / "viewer",
            twice,
            subject="S1",
            transform="fullhead",
            packed=tmp_path,
            volume_shape=(100, 100, 31),
            title="",
        )


def test_one_name_of_colours_cannot_stand_for_two(s1_store, space, tmp_path):
    values = ceiling_map(space, "ncsnr").values
    maps = [
        ViewerMap(name, values, "same", colours, 0, 1)
        for name, colours in (("a", ("#000000",)), ("b", ("#ffffff",)))
    ]
    with pytest.raises(ValueError, match="different colours"):
        build_viewer(
            tmp_path / "viewer",
            maps,
            subject="S1",
            transform="fullhead",
            packed=tmp_path,
            volume_shape=(100, 100, 31),
            title="",
        )
    assert list(tmp_path.iterdir()) == []


def test_what_the_page_adds_asks_no_other_machine():
    for path in PAGE.rglob("*.*"):
        assert not re.search(r"(https?:)?//[a-z]+\.", path.read_text("utf-8")), path


def test_index_names_every_subject_and_how_to_serve_them():
    page = viewer_index(["subj01", "subj05"], "a <study>", "results/my study/viewer")
    assert "a &lt;study&gt;" in page
    assert "--directory &#x27;results/my study/viewer&#x27; 8123" in page
    for subject in ("subj01", "subj05"):
        assert f'href="http://localhost:{PORT}/{subject}/"' in page
