"""Kinds of surfaces, filestores and side files of figures that end a job in one line.

More of what may be wrong with surfaces: `tests/figures/test_figures_filestore.py`.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import xarray as xr
from ending import check_job

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic.surfaces import write_mgz
from brainstruct.figures.fsaverage import load_fsaverage5
from brainstruct.figures.preparing import Cortex
from brainstruct.figures.voxels import open_flatmap
from filestore import change_gifti, write_stored
from nsd_folder import write_fsaverage_index, write_subject
from nsd_study import open_nsd
from prepare_pycortex import prepare_pycortex

SUBJECT, HEIGHT = "subj01", 64


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """A filestore of one subject, and a data set of the same."""
    root = tmp_path_factory.mktemp("sound")
    pair = load_fsaverage5()
    write_stored(root / "users", "me", pair)
    write_subject(Layout(root / "nsd"), SUBJECT, pair, (82, 106, 84))
    return root


def prepare(root: Path, source: str, store: Path) -> None:
    """Do what the rule does: build the store of a study with one subject."""
    nsd = open_nsd(Layout(root / "nsd"))
    cortex = Cortex(source, "as configured", [], "me", "func")
    prepare_pycortex(
        cortices={SUBJECT: cortex}, filestore=str(root / "users"), patch="full", height=HEIGHT,
        dataset=nsd, mask="nsdgeneral", store=store,
    )  # fmt: skip


def write_npz(path: Path, name: str, **arrays: object) -> None:
    """Put an npz file in the place of a GIFTI file."""
    path.unlink()
    np.savez_compressed(path.with_name(name), **arrays)


def with_values(**changes: Callable[[np.ndarray], object]) -> Callable[[Path], None]:
    """Change the curvature of a filestore's subject."""

    def change(folder: Path) -> None:
        path = folder / "surface-info/curvature.npz"
        with np.load(path) as stored:
            values = dict(stored)
        np.savez(path, **(values | {name: to(values[name]) for name, to in changes.items()}))

    return change


def elsewhere(path: Path) -> None:
    """Let the numbers of a GIFTI file lie in another file."""
    points = nib.load(path).darrays[0].data
    (path.parent / "points.bin").write_bytes(points.tobytes())
    said = {"Encoding": "ExternalFileBinary", "ExternalFileName": "points.bin"}
    text = path.read_text()
    for name, value in said.items():
        text = re.sub(rf'{name}="[^"]*"', f'{name}="{value}"', text, count=1)
    path.write_text(text)


def inflate(path: Path) -> None:
    """Let a GIFTI file unpack to a hundred times what it announces."""
    text = path.read_text()
    start = text.index("<Data>") + len("<Data>")
    more = base64.b64encode(zlib.compress(bytes(50_000_000))).decode()
    path.write_text(text[:start] + more + text[text.index("</Data>") :])


def vtk(path: Path, change: Callable[[str], str]) -> None:
    """Put a VTK file, changed, in the place of a GIFTI file."""
    path.unlink()
    text = "# vtk\nASCII\nDATASET POLYDATA\nPOINTS 3 float\n0 0 0\n1 0 0\n0 1 0\nPOLYGONS 1 4\n"
    path.with_suffix(".vtk").write_text(change(f"{text}3 0 1 2\n"))


def cut(path: Path, share: float = 0.5) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


WM, MATRIX = "surfaces/wm_lh.gii", "transforms/func/matrices.xfm"
REFERENCE = "transforms/func/reference.nii.gz"
ENTITIES = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
LAUGHS = f'<!DOCTYPE svg [<!ENTITY e0 "ha">{ENTITIES}]><svg width="9" height="9">&e9;</svg>'

FILESTORES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "no filestore": (lambda f: shutil.rmtree(f.parent), ["users", "is not a folder"]),
    "another subject": (lambda f: f.rename(f.with_name("you")), ["no subject 'me'", "you"]),
    "no flat surface": (lambda f: (f / "surfaces/flat_rh.gii").unlink(), ["surfaces", "rh"]),
    "another transform": (
        lambda f: (f / "transforms/func").rename(f / "transforms/anat"), ["'func'", "anat"]),
    "a transform of NaN": (
        lambda f: (f / MATRIX).write_text(json.dumps({"coord": [[float("nan")] * 4] * 4})),
        ["matrices.xfm", "inverted"]),
    "a transform that is a list": (lambda f: (f / MATRIX).write_text("[]"), ["matrices.xfm"]),
    "a reference that is cut": (lambda f: cut(f / REFERENCE, 0.01), ["reference.nii.gz"]),
    "a reference that is flat": (
        lambda f: nib.save(nib.Nifti1Image(np.zeros((3, 3)), np.eye(4)), f / REFERENCE),
        ["reference.nii.gz"]),
    "a surface that is a folder": (
        lambda f: [(f / WM).unlink(), (f / WM).mkdir()], ["wm_lh.gii", "folder"]),
    "a surface that is a pipe": (
        lambda f: [(f / WM).unlink(), os.mkfifo(f / WM)], ["wm_lh.gii", "pipe"]),
    "a surface that is a Git LFS pointer": (
        lambda f: (f / WM).write_text("version https://git-lfs.github.com/spec/v1\n"),
        ["wm_lh.gii", "git lfs pull"]),
    "a surface that is a page of the web": (
        lambda f: (f / WM).write_text("<!DOCTYPE html><p>404"), ["wm_lh.gii", "page of the web"]),
    "a surface that lies in another file": (
        lambda f: elsewhere(f / WM), ["wm_lh.gii", "another file"]),
    "a surface larger than it announces": (
        lambda f: inflate(f / WM), ["wm_lh.gii", "unpacks to more"]),
    "a surface of packed zeros": (
        lambda f: write_npz(f / WM, "wm_lh.npz", pts=np.zeros((10**7, 3)), polys=[[0, 1, 2]]),
        ["wm_lh.npz", "announces"]),
    "a surface of objects": (
        lambda f: write_npz(f / WM, "wm_lh.npz", pts=np.array([{}]), polys=[[0, 1, 2]]),
        ["wm_lh.npz", "is damaged"]),
    "a surface in text that is cut": (
        lambda f: vtk(f / WM, lambda text: text[:-9]), ["wm_lh.vtk", "is damaged"]),
    "a surface in text with words for numbers": (
        lambda f: vtk(f / WM, lambda text: text.replace("1 0 0", "1 0 x")), ["wm_lh.vtk"]),
    "a surface of entities without end": (
        lambda f: (f / WM).write_text(LAUGHS.replace("svg", "GIFTI")), ["wm_lh.gii", "is damaged"]),
    "a surface without triangles": (
        lambda f: change_gifti(f / WM, lambda p, t: (p, t[:0])), ["wm_lh.gii", "triangles"]),
    "a drawing of entities without end": (
        lambda f: (f / "overlays.svg").write_text(LAUGHS), ["overlays.svg"]),
    "a curvature that is constant": (
        with_values(left=np.zeros_like), ["curvature.npz", "does not follow"]),
    "a curvature that is infinite": (
        with_values(right=lambda v: np.where(v == v.max(), np.inf, v)),
        ["curvature.npz", "no finite numbers at 1"]),
    "a curvature of objects": (
        with_values(left=lambda v: np.array([None] * len(v))), ["curvature.npz", "is damaged"]),
    "a relief that is NaN": (
        lambda f: np.savez(
            f / "surface-info/bumpy_flatmap.npz",
            **{f"bump_{side}": np.full((10242, 3), np.nan) for side in ("left", "right")}
        ), ["bumpy_flatmap.npz", "no finite numbers at 10242"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILESTORES)
def test_a_filestore_that_cannot_be_drawn_is_one_message(sound, tmp_path, kind):
    spoil, words = FILESTORES[kind]
    spoil(Path(shutil.copytree(sound / "users/me", tmp_path / "users/me")))
    check_job(lambda made: prepare(tmp_path, "store", made), words, tmp_path / "job")


def mgz(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Write coordinates of vertices anew, [vertex, (i, j, k)]."""
    write_mgz(path, change(np.asarray(nib.load(path).dataobj).reshape(-1, 3)))


def white(nsd: Layout) -> Path:
    return nsd.surface_file(SUBJECT, "lh", "white")


def curv(nsd: Layout) -> Path:
    return nsd.surface_file(SUBJECT, "rh", "curv")


def depth(nsd: Layout) -> Path:
    return nsd.depth_files(SUBJECT, "lh")[0]


def every_depth(nsd: Layout, change: Callable[[np.ndarray], np.ndarray]) -> None:
    for side in ("lh", "rh"):
        for path in nsd.depth_files(SUBJECT, side):
            mgz(path, change)


HUGE = np.array([2**31 - 1, 2**30], ">i4").tobytes() + bytes(99)

CORTICES: dict[str, tuple[str, Callable[[Layout], object], list[str]]] = {
    "white cut": ("freesurfer", lambda n: cut(white(n)), ["lh.white", "is damaged"]),
    "white that announces too much": (
        "freesurfer", lambda n: white(n).write_bytes(b"\xff\xff\xfea\n\n" + HUGE),
        ["lh.white", "announces"]),
    "white of another person": (
        "freesurfer",
        lambda n: nib.freesurfer.write_geometry(white(n), np.eye(3), np.array([[0, 1, 2]])),
        ["has 10242 vertices", "have 3"]),
    "white in ASCII": (
        "freesurfer", lambda n: white(n).write_text("#!ascii\n3 1\n"), ["lh.white"]),
    "curvature that announces too much": (
        "freesurfer", lambda n: curv(n).write_bytes(b"\xff\xff\xff" + HUGE),
        ["rh.curv", "announces"]),
    "curvature that is NaN": (
        "freesurfer",
        lambda n: nib.freesurfer.write_morph_data(curv(n), np.full(10242, np.nan)),
        ["rh.curv", "no finite numbers"]),
    "curvature of another surface": (
        "freesurfer",
        lambda n: nib.freesurfer.write_morph_data(curv(n), np.sin(np.arange(10242))),
        ["rh.curv", "does not follow"]),
    "patch of nothing": (
        "freesurfer",
        lambda n: n.patch_file(SUBJECT, "lh", "full").write_bytes(np.array([-1, 0], ">i4")),
        ["lh.full.flat.patch.3d", "announces 0"]),
    "patch that announces too much": (
        "freesurfer",
        lambda n: n.patch_file(SUBJECT, "lh", "full").write_bytes(np.array([-1, 2**30], ">i4")),
        ["lh.full.flat.patch.3d", "announces 1073741824"]),
    "patch of another side": (
        "freesurfer",
        lambda n: shutil.copy(*(n.patch_file(SUBJECT, side, "full") for side in ("lh", "rh"))),
        ["rh.full.flat.patch.3d", "another surface"]),
    "coordinates cut": ("fsaverage", lambda n: cut(depth(n), 0.9), ["layerB1.mgz"]),
    "coordinates of fewer vertices": (
        "fsaverage", lambda n: mgz(depth(n), lambda v: v[1:]), ["has 10242 vertices", "10241"]),
    "coordinates without a third": (
        "fsaverage", lambda n: mgz(depth(n), lambda v: v[:, :2]), ["layerB1.mgz", "shape"]),
    "coordinates that are infinite": (
        "fsaverage", lambda n: every_depth(n, lambda v: np.full_like(v, np.inf)),
        ["transforms", "no coordinates"]),
    "coordinates of a finer grid": (
        "fsaverage", lambda n: every_depth(n, lambda v: v * 1.8), ["transforms", "another grid"]),
    "fsaverage's vertices beyond the last": (
        "fsaverage",
        lambda n: write_fsaverage_index(n, SUBJECT, "rh", np.full(10242, 10242)),
        ["white-to-fsaverage.mgz", "names vertices"]),
    "fsaverage's vertices that are NaN": (
        "fsaverage",
        lambda n: write_fsaverage_index(n, SUBJECT, "lh", np.full(10242, np.nan)),
        ["white-to-fsaverage.mgz", "names vertices"]),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@pytest.mark.parametrize("kind", CORTICES)
def test_a_cortex_that_cannot_be_drawn_is_one_message(sound, tmp_path, kind):
    source, spoil, words = CORTICES[kind]
    shutil.copytree(sound / "nsd", tmp_path / "nsd")
    spoil(Layout(tmp_path / "nsd"))
    check_job(lambda made: prepare(tmp_path, source, made), words, tmp_path / "job")


@pytest.fixture(scope="module")
def drawn(sound, tmp_path_factory) -> Path:
    """A study's store, as drawing jobs find it."""
    store = tmp_path_factory.mktemp("drawn") / "ready.json"
    prepare(sound, "store", store)
    return store.parent


def rewrite(path: Path, **changes: object) -> None:
    """Write a flatmap with other arrays, packed."""
    with np.load(path) as stored:
        np.savez_compressed(path, **(dict(stored) | changes))


def rewrite_plainly(path: Path, **changes: object) -> None:
    with np.load(path) as stored:
        arrays = dict(stored)
    np.savez(path, **(arrays | changes))


READY, FLATMAP = "ready.json", "flatmaps/me-func.npz"
SIDE_FILES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a list of flatmaps that is cut": (lambda f: cut(f / READY), [READY, "Delete"]),
    "a list of flatmaps of others": (
        lambda f: (f / READY).write_text('{"subj02": {}}'), [READY, "subj01"]),
    "a list of flatmaps nested without end": (
        lambda f: (f / READY).write_text("[" * 10**5), [READY, "Delete"]),
    "a flatmap that is cut": (lambda f: cut(f / FLATMAP), ["me-func.npz", "Delete"]),
    "a flatmap that is gone": (lambda f: (f / FLATMAP).unlink(), ["me-func.npz", "not exist"]),
    "a flatmap of packed zeros": (
        lambda f: rewrite(f / FLATMAP, data=np.zeros(10**7)), ["me-func.npz", "announces"]),
    "a flatmap of another volume": (
        lambda f: rewrite_plainly(f / FLATMAP, volume_shape=np.array([3, 4, 5])),
        ["'func'", "3 x 4 x 5"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", SIDE_FILES)
def test_a_side_file_that_is_damaged_is_one_message(drawn, tmp_path, kind):
    spoil, words = SIDE_FILES[kind]
    store = Path(shutil.copytree(drawn, tmp_path / "store"))
    spoil(store)
    space = xr.Dataset(attrs={"volume_shape": (82, 106, 84)})
    check_job(lambda _: open_flatmap(store / READY, SUBJECT, space), words, tmp_path / "job")


def test_what_is_sound_is_drawn(sound, drawn, tmp_path):
    """So that nothing above is refused for another reason."""
    for source in ("freesurfer", "fsaverage"):
        prepare(sound, source, tmp_path / source / READY)
        assert (tmp_path / source / READY).is_file()
    space = xr.Dataset(attrs={"volume_shape": (82, 106, 84)})
    assert open_flatmap(drawn / READY, SUBJECT, space).inside.any()
