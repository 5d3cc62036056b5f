from __future__ import annotations

import base64
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import xarray as xr
from browser import Watched, served
from matplotlib.colors import to_hex

import hostile
from brainstruct.datasets.nsd.volumes import read_volume
from brainstruct.errors import InputError
from brainstruct.figures.cortex_store import pycortex
from brainstruct.figures.own_cortex import average_flatmap
from brainstruct.figures.store_import import import_subject
from brainstruct.figures.store_names import FSAVERAGE
from brainstruct.figures.style import SEQUENTIAL, instruction_colours
from brainstruct.figures.viewer import PAGE, build_viewer, pack_surface, scratch_store, unpack
from brainstruct.figures.viewer_grid import cortex_grid, covers_cortex
from brainstruct.figures.viewer_index import PORT, viewer_index
from brainstruct.figures.viewer_maps import ViewerMap, ceiling_map, colour_strip, maps_of_model
from nsd_study import open_nsd

TEXTS = {"IC": "Caption it", "IU1": "Name the colour", "VQ2": "Any people?"}
NAMES = [*hostile.TEXTS, hostile.HARMFUL]
COLOURS = instruction_colours([*TEXTS, "SR", "CR"])


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
            "clear": ("voxel", number % 8 < 4),
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
        winners,
        space,
        key="instructblip",
        label="InstructBLIP",
        n_layers=5,
        instructions=TEXTS,
        colours=COLOURS,
    )
    assert [entry.name.partition(": ")[2] for entry in maps] == [
        "winning instruction",
        "winning layer",
        "normalised alignment",
    ]
    instruction, layer, alignment = maps
    assert instruction.colours == [*(COLOURS[key] for key in TEXTS), "#ffffff"]
    assert instruction.legend[1] == "IU1: Name the colour"
    assert (instruction.high, instruction.legend[3]) == (3, "no clear winner")
    expected = matplotlib.colormaps[SEQUENTIAL].resampled(5)(np.arange(5))
    assert layer.colours == [to_hex(colour) for colour in expected]
    assert layer.high == 4
    assert (alignment.high, alignment.legend) == (1, ())
    for entry, name in ((instruction, "instruction_index"), (layer, "layer")):
        codes = winners[name].values
        if entry is instruction:
            codes = np.where(winners["clear"].values | (codes < 0), codes, 3)
        assert np.array_equal(np.isnan(entry.values), codes < 0)
        assert np.array_equal(entry.values.values[codes >= 0], codes[codes >= 0])
        assert {"i", "j", "k"} <= set(entry.values.coords)


def test_without_a_choice_of_instructions_there_is_no_map_of_them(winners, space):
    for texts in ({}, {"IC": "Caption it"}):
        maps = maps_of_model(
            winners, space, key="vit", label="ViT", n_layers=5, instructions=texts, colours=COLOURS
        )
        assert [entry.name for entry in maps] == ["ViT: winning layer", "ViT: normalised alignment"]


def test_two_models_may_have_different_instructions(winners, space):
    both = [
        maps_of_model(
            winners, space, key=key, label=key, n_layers=5, instructions=texts, colours=COLOURS
        )[0]
        for key, texts in (("a", TEXTS), ("b", {"SR": "Where", "IC": "Caption it", "CR": "Why"}))
    ]
    assert both[0].colour_map != both[1].colour_map


@pytest.fixture
def build(s1_store, sheet, tmp_path):
    """Build a page on S1, from the flatmap of another volume."""

    def built(maps, **changes) -> None:
        given = {
            "surface": "S1",
            "transform": "fullhead",
            "flatmap": sheet,
            "packed": tmp_path / "packed",
            "title": "",
        }
        build_viewer(tmp_path / "viewer", maps, **given | changes)

    return built


def test_data_of_another_volume_are_refused(build, space, tmp_path):
    with pytest.raises(InputError, match="100 x 100 x 31"):
        build([ceiling_map(space, "ncsnr")])
    assert list(tmp_path.iterdir()) == []


def test_maps_need_names_of_their_own(build, space):
    with pytest.raises(ValueError, match="same name"):
        build([ceiling_map(space, "ncsnr")] * 2)


def test_one_name_of_colours_cannot_stand_for_two(build, sheet, space, tmp_path):
    values = ceiling_map(space, "ncsnr").values
    maps = [
        ViewerMap(name, values, "same", colours)
        for name, colours in (("a", ("#000000",)), ("b", ("#ffffff",)))
    ]
    with pytest.raises(ValueError, match="different colours"):
        build(maps, flatmap=replace(sheet, volume_shape=(100, 100, 31)))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def average(s1_store, nsd):
    """The cortex of a subject without a transform, in the store, and its flatmap."""
    mask = read_volume(nsd.roi_file("subj01", "nsdgeneral")) > 0
    pair, flatmap = average_flatmap(open_nsd(nsd), "subj01", mask, 256)
    import_subject(s1_store, FSAVERAGE, *pair)
    pycortex().db.reload_subjects()
    return pair, flatmap, mask


def sides(mask: np.ndarray) -> xr.DataArray:
    """Give the voxels of each half of the volume a category of their own."""
    ijk = np.argwhere(mask)
    coords = {axis: ("voxel", index) for axis, index in zip("ijk", ijk.T, strict=True)}
    return xr.DataArray((ijk[:, 0] > mask.shape[0] / 2).astype(float), dims="voxel", coords=coords)


def test_without_a_transform_the_cortex_shows_what_the_flatmap_shows(average):
    pair, flatmap, mask = average
    codes = sides(mask)
    grid = cortex_grid(FSAVERAGE, flatmap)
    image = flatmap.vote(codes.astype(np.int64), 2)
    volume = grid.volume(np.where(image >= 0, image, np.nan))
    assert set(np.unique(volume[np.isfinite(volume)])) == {0.0, 1.0}
    for half, code in zip(pair, (0, 1), strict=True):
        flat = np.unique(half.flat_triangles)
        middle = ((half.white + half.pial) / 2)[flat]
        place = middle @ grid.to_voxels[:3, :3].T + grid.to_voxels[:3, 3]
        x, y, z = np.rint(place).astype(int).T
        values = volume[z, y, x]
        # Where hemispheres touch, the nearest vertex may be the other one's.
        assert (values[middle[:, 1] < -50] == code).mean() > 0.95  # well inside the mask
        assert np.isnan(values[middle[:, 1] > 0]).all()  # and far outside it
    assert volume.size < 2.5e6


def test_a_volume_must_cover_the_cortex_to_be_looked_up_in(s1_store):
    assert covers_cortex("S1", "fullhead")
    cortex = pycortex()
    whole = cortex.db.get_xfm("S1", "fullhead", xfmtype="coord")
    reference = str(Path(cortex.db.filestore) / "S1/transforms/fullhead/reference.nii.gz")
    moved = np.array(whole.xfm)
    moved[2, 3] -= 5  # five slices down
    cortex.db.save_xfm("S1", "moved", moved, xfmtype="coord", reference=reference)
    assert not covers_cortex("S1", "moved")


@pytest.fixture(scope="module")
def packed(average, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("viewer") / "packed"
    pack_surface(FSAVERAGE, folder)
    return folder


def flip_bit(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("ending", [".ctm", ".svg", "_v4.json", ".npz"])
def test_packed_surfaces_that_are_damaged_are_named(packed, tmp_path, ending):
    for damage in (
        lambda path: flip_bit(path, 0.6),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.unlink(),
    ):
        copy = Path(shutil.copytree(packed, tmp_path / "packed", dirs_exist_ok=True))
        path = min(copy.glob(f"*{ending}"))
        damage(path)
        message = rf"{ending}: is not as it was packed.*rebuild it: snakemake \S+packed"
        with pytest.raises(InputError, match=message):
            unpack(copy, tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_packed_surfaces_without_checksums_are_refused(tmp_path, content):
    (tmp_path / "checksums.json").write_text(content)
    with pytest.raises(InputError, match=r"checksums\.json: is"):
        unpack(tmp_path, tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: flip_bit(folder / "surfaces/inflated_lh.gii", 0.5),
        lambda folder: (folder / "surfaces/flat_rh.gii").unlink(),
        lambda folder: (folder / "surface-info/curvature.npz").write_bytes(b"PK"),
        shutil.rmtree,
    ],
)
def test_damaged_surfaces_of_a_study_are_made_anew(fsaverage, tmp_path, damage):
    damage(import_subject(tmp_path, "me", *fsaverage))
    message = r"Delete .*ready\.json and run the study again"
    with (
        pytest.raises(InputError, match=message),
        scratch_store(tmp_path / "ready.json", "me"),
    ):
        pass


@pytest.fixture(scope="module")
def page_of(average, packed, s1_store, tmp_path_factory):
    """Build the page of some maps of the average cortex; return its folder."""

    def build(maps: list[ViewerMap], title: str) -> Path:
        folder = tmp_path_factory.mktemp("page") / "viewer"
        build_viewer(
            folder,
            maps,
            surface=FSAVERAGE,
            transform=None,
            flatmap=average[1],
            packed=packed,
            title=title,
        )
        return folder

    return build


@pytest.fixture(scope="module")
def page_folder(average, page_of) -> Path:
    """A page with several maps."""
    codes = sides(average[2])
    legend, colours = ("left", "right"), ("#ff0000", "#0000ff")
    maps = [ViewerMap("side", codes, "sides", colours, legend)]
    for part in np.linspace(0.3, 0.9, 6):  # each shows another part of the mask
        shown = codes.where(np.arange(codes.size) < part * codes.size)
        maps.append(ViewerMap(f"{part:.0%}", shown, "sides", colours, legend))
    return page_of(maps, "a <b>title</b>")


def test_a_page_is_built_without_a_transform(page_folder):
    names = sorted(path.name for path in page_folder.iterdir())
    assert "index.html" in names and any(name.endswith(".ctm") for name in names)
    page = (page_folder / "index.html").read_text("utf-8")
    assert '"legend": [["left", "#ff0000"], ["right", "#0000ff"]]' in page
    listed = json.loads(re.search(r"fromJSON\((\{.*\})\);", page)[1])
    in_views = [view["data"][0] for view in listed["views"]]
    parts = [f"{part:.0%}" for part in np.linspace(0.3, 0.9, 6)]
    assert [view["name"] for view in listed["views"]] == ["side", *parts]
    assert list(listed["data"]) == in_views  # not in the order of hashes, which differs
    assert "Leap.loop" not in page
    assert not re.search(r'<(?:script|img|link)[^>]+(?:src|href)="?(?:https?:)?//', page)


@pytest.mark.parametrize("awaited", ["*.ctm", "*.json", "data/*.png"])
def test_a_page_says_that_it_waits(page_folder, browser, awaited):
    """Whichever of its files does not come."""
    page = browser.new_page(viewport={"width": 640, "height": 400})
    page.route(f"**/{awaited}", lambda route: None)
    with served(page_folder) as address:
        with page.expect_request(f"**/{awaited}"):
            page.goto(f"{address}/", wait_until="commit")
        page.wait_for_function("/Loading (brain|data)/.test(document.body.innerText)")
    page.close()


@pytest.mark.parametrize("damaged", ["*.ctm", "*.svg", "files.json", "data/*_0.png"])
@pytest.mark.parametrize("cut", [False, True])
def test_a_page_says_what_does_not_come_whole(page_folder, browser, tmp_path, damaged, cut):
    """Some pictures were drawn as the first category; other files were waited for without end."""
    folder = Path(shutil.copytree(page_folder, tmp_path / "page"))
    file = sorted(folder.glob(damaged))[-1]
    if cut:
        file.write_bytes(file.read_bytes()[:-40])
    else:
        file.unlink()
    page = browser.new_page(viewport={"width": 640, "height": 400})
    with served(folder) as address:
        page.goto(f"{address}/", wait_until="commit")
        said = page.wait_for_selector("#missing", state="visible").inner_text()
    page.close()
    assert said.startswith(f"{file.relative_to(folder)} does not come whole. Serve the whole")


def test_a_page_that_is_opened_as_a_file_says_how_to_open_it(page_folder, browser):
    page = browser.new_page(viewport={"width": 640, "height": 400})
    page.goto((page_folder / "index.html").as_uri(), wait_until="commit")
    assert "over http" in page.wait_for_selector("#missing", state="visible").inner_text()
    page.close()


def test_a_whole_page_has_nothing_to_say(page_folder, browser):
    page = browser.new_page(viewport={"width": 640, "height": 400})
    with served(page_folder) as address:
        with page.expect_response(lambda answer: answer.request.method == "HEAD"):
            page.goto(f"{address}/", wait_until="networkidle")
        assert page.locator("#missing").is_hidden()
    page.close()


@pytest.fixture(scope="module")
def hostile_folder(average, page_of) -> Path:
    """A page whose maps and categories have hostile names."""
    codes = sides(average[2])
    colours = [f"#{7919 * number:06x}" for number in range(len(hostile.TEXTS))]
    maps = [
        ViewerMap(
            name, codes.where(np.arange(codes.size) > number), "sides", colours, hostile.TEXTS
        )
        for number, name in enumerate(NAMES)
    ]
    return page_of(maps, hostile.HARMFUL)


def test_names_of_maps_and_categories_are_only_text(hostile_folder, browser):
    opened = Watched.opened(browser)
    page = opened.page
    with served(hostile_folder) as address:
        opened.show_maps(f"{address}/")
        lists = "[...document.querySelectorAll('#datasets li')].map(one => one.textContent)"
        assert page.evaluate(lists) == NAMES
        for number in (0, 2, len(NAMES) - 1):  # what is clicked is found by its text
            page.evaluate("name => viewer.setData(name)", NAMES[number])
            assert page.evaluate("viewer.active.name") == NAMES[number]
            assert page.evaluate("document.getElementById('dataname').textContent") == NAMES[number]
        assert page.evaluate("viewer.active.attrs.legend.map(pair => pair[0])") == list(
            hostile.TEXTS
        )
        assert page.title().split() == hostile.HARMFUL.split()
        assert page.evaluate("window.HACKED") is None
        assert [said for said in opened.errors if address not in said] == []
        assert [name for name in opened.requests if not name.startswith(address)] == []
    page.close()
    host = Path("/etc/hostname")
    if host.is_file():  # pycortex puts the content of files that pages name into them
        content = base64.b64encode(host.read_bytes()).decode()
        assert content not in (hostile_folder / "index.html").read_text("utf-8")


def test_what_the_page_adds_asks_no_other_machine():
    for path in PAGE.rglob("*.*"):
        assert not re.search(r"(https?:)?//[a-z]+\.", path.read_text("utf-8")), path


def test_index_names_every_subject_and_how_to_serve_them():
    page = viewer_index(["subj01", "subj05"], "a <study>", "results/my study/viewer")
    assert "a &lt;study&gt;" in page
    assert "--directory &#x27;results/my study/viewer&#x27; 8123" in page
    for subject in ("subj01", "subj05"):
        assert f'href="http://localhost:{PORT}/{subject}/"' in page
