"""Filestores of users: sound ones are drawn whatever they look like, others are one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainstruct.errors import InputError
from brainstruct.figures.preparing import prepare_stored
from brainstruct.figures.surface import read_flatmap
from filestore import change_gifti, write_stored

HEIGHT = 96


@pytest.fixture(scope="module")
def sound(tmp_path_factory, fsaverage) -> Path:
    return write_stored(tmp_path_factory.mktemp("users"), "me", fsaverage)


@pytest.fixture
def folder(sound, tmp_path) -> Path:
    """A copy of a subject, to be changed."""
    return Path(shutil.copytree(sound, tmp_path / "users" / "me"))


def draw(folder: Path, root: Path):
    ((_, path),) = prepare_stored(root, folder, ["func"], HEIGHT).items()
    return read_flatmap(path)


@pytest.fixture(scope="module")
def drawn(sound, tmp_path_factory):
    return draw(sound, tmp_path_factory.mktemp("drawn"))


def flat(folder: Path, side: str) -> Path:
    return folder / f"surfaces/flat_{side}.gii"


def turned(degrees: float, mirrored: bool = False):
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

    def change(points, triangles):
        points[:, :2] = points[:, :2] @ rotation * ([-1, 1] if mirrored else [1, 1])
        return points, triangles

    return change


@pytest.mark.parametrize(("degrees", "mirrored"), [(90, False), (180, False), (-50, True)])
def test_a_patch_is_drawn_upright_however_it_lies(folder, drawn, tmp_path, degrees, mirrored):
    change_gifti(flat(folder, "rh"), turned(degrees, mirrored))
    found = draw(folder, tmp_path / "store")
    assert found.inside.shape == drawn.inside.shape
    assert (found.inside == drawn.inside).mean() > 0.99
    both = found.inside & drawn.inside
    assert ((found.curvature > 0) == (drawn.curvature > 0))[both].mean() > 0.97
    # Pages keep it as it lies: its regions may be drawn there.
    kept = nib.load(tmp_path / "store/db/me/surfaces/flat_rh.gii").darrays[0].data
    np.testing.assert_array_equal(kept, nib.load(flat(folder, "rh")).darrays[0].data)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_every_piece_is_drawn(folder, drawn, tmp_path, share):
    """The back of the left patch, cut off and moved away."""

    def cut(points, triangles):
        border = np.quantile(points[np.unique(triangles), 0], 1 - share)
        behind = (points[triangles, 0] > border).sum(axis=1)
        triangles = triangles[(behind == 0) | (behind == 3)]
        points[points[:, 0] > border] += [30, 0, 0]
        return points, triangles

    change_gifti(flat(folder, "lh"), cut)
    found = draw(folder, tmp_path / "store")
    left, right, bottom, top = found.extent
    area = found.inside[:, : found.midline].sum() * (top - bottom) * (right - left)
    whole = drawn.inside[:, : drawn.midline].sum()
    left, right, bottom, top = drawn.extent
    expected = whole * (top - bottom) * (right - left) / drawn.inside.size
    assert area / found.inside.size == pytest.approx(expected, rel=0.06)


def test_other_formats_are_read(folder, drawn, tmp_path):
    for path in (folder / "surfaces").iterdir():
        points, triangles = (array.data for array in nib.load(path).darrays)
        path.unlink()
        if path.stem != "flat_lh":
            np.savez(path.with_suffix(".npz"), pts=points, polys=triangles)
            continue
        with path.with_suffix(".vtk").open("w") as file:
            file.write(f"# vtk\nASCII\nDATASET POLYDATA\nPOINTS {len(points)} float\n")
            np.savetxt(file, points, "%.9g")
            file.write(f"POLYGONS {len(triangles)} {4 * len(triangles)}\n")
            np.savetxt(file, np.c_[np.full(len(triangles), 3), triangles], "%d")
    np.testing.assert_array_equal(draw(folder, tmp_path / "store").inside, drawn.inside)


def test_clockwise_triangles_and_what_is_missing_do_no_harm(folder, drawn, tmp_path):
    for path in (folder / "surfaces").iterdir():
        change_gifti(path, lambda points, triangles: (points, triangles[:, ::-1]))
        if path.name.startswith("inflated"):
            path.unlink()
    (folder / "overlays.svg").unlink()
    (folder / "surface-info/bumpy_flatmap.npz").unlink()
    found = draw(folder, tmp_path / "store")
    np.testing.assert_array_equal(found.inside, drawn.inside)
    assert (found.sampler != drawn.sampler).nnz == 0


def change_values(folder: Path, change) -> None:
    path = folder / "surface-info/curvature.npz"
    with np.load(path) as stored:
        values = dict(stored)
    np.savez(path, **change(values))


def spoil(points, triangles, value):
    points[4321, 1] = value
    return points, triangles


def swap(first: Path, second: Path) -> None:
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def flip_bit(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 1
    path.write_bytes(content)


def fold(points, triangles):
    points[:, 0] = np.abs(points[:, 0] - points[:, 0].mean())
    return points, triangles


def onto_itself(points, triangles):
    """Two pieces, one moved onto the other."""
    border = np.median(points[np.unique(triangles), 1])
    above = (points[triangles, 1] > border).sum(axis=1)
    points[points[:, 1] > border] -= [0, 120, 0]
    return points, triangles[(above == 0) | (above == 3)]


def fan(points, triangles):
    """A third triangle at an inner edge."""
    far = triangles[len(triangles) // 2, 0]
    return points, np.concatenate([triangles, [[*triangles[0, :2], far]], [triangles[5]]])


def with_matrix(change):
    def changed(folder: Path) -> None:
        path = folder / "transforms/func/matrices.xfm"
        path.write_text(change(path.read_text()))

    return changed


def cut(path: Path, share: float = 0.5) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


SURFACES = "surfaces"
CURVATURE = "surface-info/curvature.npz"
UNSOUND = {
    # Edges and pieces.
    "fan": (lambda f: change_gifti(flat(f, "lh"), fan), "flat_lh.gii: is no surface: more than"),
    "double": (
        lambda f: change_gifti(flat(f, "rh"), lambda p, t: (p, np.concatenate([t, t[:7]]))),
        "flat_rh.gii: is no surface: more than two triangles meet at",
    ),
    "two_pieces": (lambda f: change_gifti(flat(f, "lh"), onto_itself), r"\(2 pieces\)"),
    "folded": (lambda f: change_gifti(flat(f, "rh"), fold), "flat_rh.gii: lies over itself"),
    "ball": (
        lambda f: shutil.copy(f / f"{SURFACES}/inflated_lh.gii", flat(f, "lh")),
        "flat_lh.gii: lies over itself",
    ),
    "line": (
        lambda f: change_gifti(flat(f, "lh"), lambda p, t: (p * [1, 0, 0], t)),
        "flat_lh.gii: is no plane",
    ),
    # Files of something else.
    "other_patch": (
        lambda f: swap(flat(f, "lh"), flat(f, "rh")),
        "flat_lh.gii: is the patch of another surface",
    ),
    "other_side": (
        lambda f: [
            swap(f / f"{SURFACES}/{kind}_lh.gii", f / f"{SURFACES}/{kind}_rh.gii")
            for kind in ("wm", "pia", "flat", "inflated")
        ],
        "wm_lh.gii: lies to the right of wm_rh.gii",
    ),
    "other_folds": (
        lambda f: change_values(f, lambda v: {"left": v["right"], "right": v["left"]}),
        r"curvature.npz: does not follow the folds of the surface \(r = 0",
    ),
    "other_sign": (
        lambda f: change_values(f, lambda v: {side: -v[side] for side in v}),
        "curvature.npz: does not follow .* negative on gyri",
    ),
    "shuffled": (
        lambda f: change_values(f, lambda v: {side: np.sort(v[side]) for side in v}),
        "curvature.npz: does not follow",
    ),
    "other_keys": (
        lambda f: change_values(f, lambda v: {"lh": v["left"], "rh": v["right"]}),
        "curvature.npz: is damaged or no file with values",
    ),
    # Counts.
    "fewer_values": (
        lambda f: change_values(f, lambda v: v | {"right": v["right"][:-2]}),
        "curvature.npz: has 10240 vertices, the hemisphere's other files have 10242",
    ),
    "scalar": (
        lambda f: change_values(f, lambda v: v | {"left": np.float32(0)}),
        "curvature.npz: has 0 vertices",
    ),
    "fewer_points": (
        lambda f: change_gifti(f / f"{SURFACES}/pia_rh.gii", lambda p, t: (p[:9000], t[:1])),
        "pia_rh.gii: has 9000 vertices",
    ),
    "fewer_reliefs": (
        lambda f: np.savez(
            f / "surface-info/bumpy_flatmap.npz", bump_left=np.zeros((5, 3)), bump_right=0
        ),
        "bumpy_flatmap.npz: has 5 vertices",
    ),
    # Numbers.
    "nan_white": (
        lambda f: change_gifti(f / f"{SURFACES}/wm_rh.gii", lambda p, t: spoil(p, t, np.nan)),
        r"wm_rh.gii: has no finite numbers at 1 of 10242 vertices, the first 4321",
    ),
    "infinite_inflated": (
        lambda f: change_gifti(f / f"{SURFACES}/inflated_lh.gii", lambda p, t: spoil(p, t, np.inf)),
        "inflated_lh.gii: has no finite numbers",
    ),
    "far": (
        lambda f: change_gifti(flat(f, "lh"), lambda p, t: spoil(p, t, 1e30)),
        "flat_lh.gii: has no finite numbers",
    ),
    # Damage.
    "empty_gifti": (
        lambda f: nib.save(nib.gifti.GiftiImage(), f / f"{SURFACES}/pia_lh.gii"),
        "pia_lh.gii: is damaged or no GIFTI surface",
    ),
    "cut_gifti": (lambda f: cut(f / f"{SURFACES}/wm_lh.gii"), "wm_lh.gii: is damaged or no GIFTI"),
    "flipped_gifti": (
        lambda f: flip_bit(f / f"{SURFACES}/inflated_rh.gii", 0.4),
        "inflated_rh.gii: is ",
    ),
    "foreign_triangles": (
        lambda f: change_gifti(flat(f, "lh"), lambda p, t: (p, t + 9)),
        "flat_lh.gii: is damaged: its triangles do not fit",
    ),
    "cut_folds": (lambda f: cut(f / CURVATURE), "curvature.npz: is damaged or no file with values"),
    "cut_drawing": (lambda f: cut(f / "overlays.svg"), "overlays.svg: is damaged or no drawing"),
    "drawing_in_mm": (
        lambda f: (f / "overlays.svg").write_text('<svg width="40mm" height="9mm"/>'),
        "overlays.svg: is damaged or no drawing with a width and a height in pixels",
    ),
    # Transforms.
    "cut_matrix": (with_matrix(lambda text: text[:30]), "matrices.xfm: is damaged or no transform"),
    "other_matrix": (with_matrix(lambda _: '{"coord": [[1, 0], [0, 1]]}'), "cannot be inverted"),
    "flat_matrix": (
        with_matrix(lambda _: json.dumps({"coord": np.diag([1, 1, 0, 1]).tolist()})),
        "cannot be inverted",
    ),
    "no_reference": (
        lambda f: (f / "transforms/func/reference.nii.gz").unlink(),
        "reference.nii.gz: does not exist",
    ),
}


@pytest.mark.parametrize("kind", UNSOUND)
def test_what_cannot_be_drawn_is_one_line_and_leaves_nothing(folder, tmp_path, kind):
    spoil_it, message = UNSOUND[kind]
    spoil_it(folder)
    with pytest.raises(InputError, match=message) as refusal:
        draw(folder, tmp_path / "store")
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "store/db/me").exists()
