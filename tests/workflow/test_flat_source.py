"""Which cortex is chosen, by which files are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainstruct.config.figures import Flatmaps
from brainstruct.config.loading import load_study
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.workflow.flat_source import find_source
from brainstruct.workflow.inputs import Inputs
from nsd_study import open_nsd


@pytest.fixture
def layout(tmp_path) -> Layout:
    return Layout(tmp_path / "nsd")


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "pycortex"


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def find(layout: Layout, store: Path | None, source: str = "auto"):
    flatmaps = Flatmaps(source=source, store=None if store is None else str(store), transform="x")
    return find_source(flatmaps, open_nsd(layout), "subj05")


def names(found) -> set[str]:
    return {path.name for path in found.files}


def test_a_ready_store_comes_first(layout, store):
    touch(layout.patch_file("subj05", "lh", "full"), store / "subj05" / "surfaces" / "flat_lh.gii")
    found = find(layout, store)
    assert found.source == "store"
    assert store / "subj05" / "transforms" / "x" / "matrices.xfm" in found.files


def test_all_that_is_read_of_a_store_is_an_input(paper_config, store):
    """In the format it has; what pages show of it, too."""
    paper_config["flatmaps"] |= {"store": str(store), "transform": "x"}
    paper_config["subjects"] = ["subj05"]
    folder = store / "subj05"
    read = [
        *(f"surfaces/{kind}_{side}.gii" for kind in ("wm", "pia") for side in ("lh", "rh")),
        *("surfaces/flat_lh.npz", "surfaces/flat_rh.vtk", "surfaces/inflated_lh.gii"),
        *("surface-info/curvature.npz", "surface-info/bumpy_flatmap.npz", "overlays.svg"),
        *("transforms/x/matrices.xfm", "transforms/x/reference.nii.gz"),
    ]
    touch(*(folder / name for name in read))
    touch(folder / "surfaces/hyperinflated_lh.gii", folder / "transforms/y/matrices.xfm")
    found = Inputs(load_study(paper_config))
    assert set(found.flat_files(["subj05"])) == {str(folder / name) for name in read}
    missing = [path for path in found.flat_sources["subj05"].files if not path.is_file()]
    assert missing == []  # and the rest may be missing


def test_then_the_subjects_own_surfaces(layout, store):
    touch(*(layout.patch_file("subj05", side, "full") for side in ("lh", "rh")))
    touch(store / "subj01" / "surfaces" / "flat_lh.gii")  # another subject's
    found = find(layout, store)
    assert found.source == "freesurfer"
    assert {"lh.white", "rh.inflated", "rh.func1pt8-to-layerB3.mgz"} <= names(found)
    assert "surf has flat patches" in found.reason


def test_then_fsaverage_and_the_reason_says_what_is_lacking(layout, store):
    found = find(layout, store)
    assert found.source == "fsaverage"
    assert names(found) == {
        *(f"{side}.white-to-fsaverage.mgz" for side in ("lh", "rh")),
        *(f"{side}.func1pt8-to-layerB{n}.mgz" for side in ("lh", "rh") for n in (1, 2, 3)),
    }
    assert "lacks this subject" in found.reason and "no flat patches" in found.reason


def test_no_store_means_the_one_that_ships_with_pycortex(layout):
    found = find(layout, None)
    assert (found.source, found.files) == ("store", ())


def test_a_lost_patch_is_no_choice(layout, store):
    touch(layout.patch_file("subj05", "rh", "full"))
    assert find(layout, store).source == "freesurfer"


def test_configured_surfaces_without_patches_fall_back(layout, store):
    assert find(layout, store, "freesurfer").source == "freesurfer"  # nothing there: an error
    touch(layout.surface_file("subj05", "lh", "white"))
    found = find(layout, store, "freesurfer")
    assert found.source == "fsaverage"
    assert "no flat patches (lh.full.flat.patch.3d)" in found.reason


@pytest.mark.parametrize("source", ["store", "fsaverage"])
def test_configured_sources_are_taken_whatever_is_there(layout, store, source):
    touch(*(layout.patch_file("subj05", side, "full") for side in ("lh", "rh")))
    assert find(layout, store, source).source == source


def test_smoothed_white_matter_stands_in_for_white(layout, store):
    touch(
        layout.patch_file("subj05", "lh", "full"), layout.surface_file("subj05", "lh", "smoothwm")
    )
    assert {"lh.smoothwm", "rh.white"} <= names(find(layout, store))


def test_rules_read_what_is_there_and_subjects_may_differ(paper_config, tmp_path):
    paper_config["data"]["nsd_root"] = str(tmp_path)
    paper_config["subjects"] = ["subj01", "subj02"]
    layout = Layout(tmp_path)
    touch(layout.patch_file("subj01", "lh", "full"), layout.fsaverage_file("subj02", "rh"))
    touch(layout.roi_file("subj01", "nsdgeneral"))
    inputs = Inputs(load_study(paper_config))
    sources = {subject: found.source for subject, found in inputs.flat_sources.items()}
    assert sources == {"subj01": "freesurfer", "subj02": "fsaverage"}
    assert [Path(name).name for name in inputs.flat_files(inputs.study.subjects)] == [
        "lh.full.flat.patch.3d",
        "nsdgeneral.nii.gz",
        "rh.white-to-fsaverage.mgz",
    ]


def test_the_demo_is_drawn_on_pycortexs_own_subject(demo_config):
    inputs = Inputs(load_study(demo_config))
    assert {found.source for found in inputs.flat_sources.values()} == {"store"}
    assert inputs.flat_files(inputs.study.subjects) == []
