"""The study's store as drawing jobs find it, from all three sources, and read by many at once."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from saving import saved

from brainstruct.config.figures import Flatmaps
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.volumes import read_volume
from brainstruct.errors import InputError
from brainstruct.figures import preparing
from brainstruct.figures.preparing import Cortex, prepare_flatmaps
from brainstruct.figures.stage import Stage
from brainstruct.figures.style import instruction_colours
from brainstruct.figures.voxels import open_flatmap, read_entry
from brainstruct.figures.winning_instruction import draw_winning_instruction
from brainstruct.workflow.flat_source import find_source
from nsd_study import open_nsd

HEIGHT = 96
KEYS = ("IC", "IU1", "SR")


def prepare(folder: Path, layout, **flatmaps) -> Path:
    """Do what the rule does; return the marker."""
    options = Flatmaps(**{"transform": "fullhead", "height": HEIGHT, **flatmaps})
    found = find_source(options, open_nsd(layout), "subj01")
    files = [str(path) for path in found.files]
    name = options.subject.format(subject="subj01")
    cortex = Cortex(found.source, found.reason, files, name, options.transform)
    ready = prepare_flatmaps(
        folder,
        {"subj01": cortex},
        open_nsd(layout),
        mask="nsdgeneral",
        store=options.store,
        patch=options.patch,
        height=options.height,
    )
    marker = folder / "ready.json"
    marker.write_text(json.dumps(ready))
    return marker


def space_of(layout) -> xr.Dataset:
    mask = read_volume(layout.roi_file("subj01", "nsdgeneral")) > 0
    i, j, k = np.argwhere(mask).T
    coords = {name: ("voxel", index) for name, index in zip("ijk", (i, j, k), strict=True)}
    return xr.Dataset(coords=coords, attrs={"volume_shape": mask.shape})


def draw(marker: Path, space: xr.Dataset, stem: Path) -> bytes:
    flatmap = open_flatmap(marker, "subj01", space)
    number = (space["i"].values // 9 + space["k"].values // 9) % len(KEYS)
    winner = xr.DataArray(np.array(KEYS)[number], dims="voxel", coords=space.coords)
    regions = xr.DataArray(
        space["j"].values[None] < 15,
        dims=("roi", "voxel"),
        coords={**space.coords, "roi": ["V1"]},
    )
    drawing = draw_winning_instruction(
        Stage(flatmap, regions), winner, winner != "", order=KEYS, colours=instruction_colours(KEYS)
    )
    paths = saved(drawing, stem)
    return paths["png"].read_bytes() + paths["svg"].read_bytes()


@pytest.mark.parametrize("source", ["freesurfer", "fsaverage"])
def test_maps_of_the_data_set_become_pictures(nsd, tmp_path, source):
    marker = prepare(tmp_path / "pycortex", nsd, source=source)
    entry = json.loads(marker.read_text())["subj01"]
    assert entry["source"] == source
    space = space_of(nsd)
    assert len(draw(marker, space, tmp_path / "map")) > 10_000
    drawn = (tmp_path / "map.svg").read_text()
    assert ("shown on fsaverage5" in drawn) == (source == "fsaverage")
    imported = (
        tmp_path / "pycortex/db" / {"freesurfer": "subj01", "fsaverage": "fsaverage5"}[source]
    )
    assert (imported / "surfaces" / "flat_rh.gii").is_file()


def test_a_ready_store_is_taken_over(s1_store, s1_flatmap, nsd, monkeypatch):
    """`s1_store` is in use in this process, so it is prepared once more, in place."""
    with np.load(s1_store / "db/S1/surface-info/curvature.npz") as stored:
        folds = [stored[side] for side in ("left", "right")]
    monkeypatch.setattr(
        preparing,
        "with_folds",
        lambda pair, _: [
            replace(half, curvature=fold) for half, fold in zip(pair, folds, strict=True)
        ],
    )
    marker = prepare(s1_store, nsd, source="store", subject="S1")
    try:
        space = xr.Dataset(attrs={"volume_shape": (100, 100, 31)})
        flatmap = open_flatmap(marker, "subj01", space)
        assert (flatmap.sampler != s1_flatmap.sampler).nnz == 0
        assert flatmap.note == ""
        with pytest.raises(InputError, match=r"fullhead.*100 x 100 x 31"):
            open_flatmap(marker, "subj01", space_of(nsd))
    finally:
        marker.unlink()


def test_the_same_files_give_the_same_store(nsd, tmp_path):
    first = prepare(tmp_path / "first", nsd, source="fsaverage")
    again = prepare(tmp_path / "again", nsd, source="fsaverage")
    assert first.read_text() == again.read_text()  # with the flatmap's checksum


def test_a_changed_transform_changes_the_marker(own_nsd, tmp_path):
    import nibabel as nib

    from brainstruct.datasets.nsd.synthetic.surfaces import write_mgz

    before = prepare(tmp_path / "store", own_nsd, source="fsaverage").read_text()
    path = own_nsd.depth_files("subj01", "lh")[0]
    write_mgz(path, np.asarray(nib.load(path).dataobj).reshape(-1, 3) + 1)
    assert prepare(tmp_path / "store", own_nsd, source="fsaverage").read_text() != before


def test_all_missing_files_are_named_in_one_message(own_nsd, tmp_path):
    own_nsd.fsaverage_file("subj01", "lh").unlink()
    own_nsd.depth_files("subj01", "rh")[1].unlink()
    with pytest.raises(InputError) as error:
        prepare(tmp_path / "store", own_nsd, source="fsaverage")
    assert "2 of 9 files" in str(error.value)
    for word in (
        "lh.white-to-fsaverage.mgz",
        "rh.func1pt8-to-layerB2.mgz",
        "aws s3 cp",
        "flatmaps",
    ):
        assert word in str(error.value)


def test_a_missing_hemisphere_is_named(own_nsd, tmp_path):
    for path in own_nsd.surface_file("subj01", "rh", "white").parent.glob("rh.*"):
        path.unlink()
    with pytest.raises(InputError, match=r"5 of 17 files[\s\S]*rh\.full\.flat\.patch\.3d"):
        prepare(tmp_path / "store", own_nsd, store=str(tmp_path / "none"))


def test_a_flatmap_that_got_lost_or_damaged_is_named(nsd, tmp_path):
    marker = prepare(tmp_path / "store", nsd, source="fsaverage")
    flatmap = tmp_path / "store" / "flatmaps" / "subj01.npz"
    flatmap.write_bytes(flatmap.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"subj01\.npz: is damaged or no flatmap"):
        open_flatmap(marker, "subj01", space_of(nsd))
    flatmap.unlink()
    with pytest.raises(InputError, match=r"subj01\.npz: does not exist"):
        open_flatmap(marker, "subj01", space_of(nsd))


@pytest.mark.parametrize(
    "content",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda _: b"",
        lambda _: b"[]",
        lambda whole: whole.replace(b"subj01", b"subj02"),
        lambda whole: whole.replace(b'"flatmap"', b'"flatmop"'),
        lambda whole: whole.replace(b"{", b"\xff", 1),
        lambda _: b'{"subj01": {"source": "store", "transform": 1, "flatmap": []}}',
    ],
)
def test_a_damaged_marker_is_one_line_that_says_how_to_make_it_anew(tmp_path, content):
    marker = tmp_path / "ready.json"
    entry = {"source": "fsaverage", "transform": "x", "flatmap": "y", "sha256": "z"}
    marker.write_bytes(content(json.dumps({"subj01": entry}).encode()))
    for read in (read_entry, lambda *of: open_flatmap(*of, xr.Dataset())):
        with pytest.raises(InputError, match=r"ready\.json.*Delete .*ready\.json and run"):
            read(marker, "subj01")


def _draw_one(arguments) -> bytes:
    barrier.wait(60)
    return draw(*arguments)


def _share(shared) -> None:
    global barrier
    barrier = shared


def test_eight_jobs_at_once_draw_what_one_draws(nsd, tmp_path):
    marker = prepare(tmp_path / "store", nsd, source="fsaverage")
    space = space_of(nsd)
    alone = draw(marker, space, tmp_path / "alone")
    before = {path: path.stat().st_mtime_ns for path in marker.parent.rglob("*")}
    context = multiprocessing.get_context("fork")
    jobs = [(marker, space, tmp_path / f"job{number}") for number in range(8)]
    with context.Pool(8, _share, (context.Barrier(8),)) as pool:
        together = pool.map(_draw_one, jobs, chunksize=1)
    assert all(drawn == alone for drawn in together)
    assert {path: path.stat().st_mtime_ns for path in marker.parent.rglob("*")} == before


def test_subjects_who_share_a_cortex_have_one_flatmap(tmp_path, monkeypatch):
    built = []

    def prepare(root, folder, transforms, height):
        built.append((folder.name, transforms, height))
        made = {(folder.name, name): root / f"{folder.name}-{name}.npz" for name in transforms}
        for path in made.values():
            path.write_bytes(path.name.encode())
        return made

    monkeypatch.setattr(preparing, "find_subject", lambda _, name: Path(name))
    monkeypatch.setattr(preparing, "prepare_stored", prepare)
    cortex = Cortex("store", "as configured", [], "S1", "fullhead")
    others = {"subj05": replace(cortex, name="S2"), "subj07": replace(cortex, transform="other")}
    ready = prepare_flatmaps(
        tmp_path,
        {"subj01": cortex, "subj02": cortex} | others,
        open_nsd(Layout(tmp_path)),
        mask="nsdgeneral",
        store=None,
        patch="full",
        height=HEIGHT,
    )
    assert built == [("S1", ["fullhead", "other"], HEIGHT), ("S2", ["fullhead"], HEIGHT)]
    assert [entry["flatmap"] for entry in ready.values()] == [
        *["S1-fullhead.npz"] * 2,
        "S2-fullhead.npz",
        "S1-other.npz",
    ]
