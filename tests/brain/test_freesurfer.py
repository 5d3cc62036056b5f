from __future__ import annotations

import numpy as np
import pytest
from nibabel.freesurfer import write_geometry, write_morph_data

from brainstruct.brain.surfaces import read_patch, read_surface, read_vertex_values
from brainstruct.errors import InputError

POINTS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
TRIANGLES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])


def patch_bytes(vertices, count=None) -> bytes:
    rows = np.zeros(len(vertices), [("vertex", ">i4"), ("xyz", ">f4", 3)])
    rows["vertex"] = vertices
    rows["xyz"] = np.arange(3 * len(vertices)).reshape(-1, 3)
    return np.array([-1, count or len(vertices)], ">i4").tobytes() + rows.tobytes()


@pytest.fixture
def surface(tmp_path):
    path = tmp_path / "lh.white"
    write_geometry(path, POINTS, TRIANGLES)
    return path


def test_a_surface_is_read(surface):
    points, triangles = read_surface(surface, 4)
    np.testing.assert_array_equal(points, POINTS)
    np.testing.assert_array_equal(triangles, TRIANGLES)


def test_a_missing_surface_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"rh\.pial: does not exist"):
        read_surface(tmp_path / "rh.pial")


@pytest.mark.parametrize("kept", [0, 2, 40, -1, -4, -12, -30])
def test_a_surface_cut_off_anywhere_is_refused(surface, kept):
    surface.write_bytes(surface.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"lh\.white: is"):
        read_surface(surface)


def test_a_surface_of_another_reconstruction_is_refused(surface):
    with pytest.raises(InputError, match="has 4 vertices, the hemisphere's other files have 5"):
        read_surface(surface, 5)


def test_values_are_read_and_checked(tmp_path):
    path = tmp_path / "lh.curv"
    write_morph_data(path, np.array([0.5, -1, 2]))
    assert read_vertex_values(path, 3).tolist() == [0.5, -1, 2]
    with pytest.raises(InputError, match="has 3 vertices"):
        read_vertex_values(path, 4)
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(InputError, match=r"lh\.curv"):
        read_vertex_values(path, 3)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e30])
def test_numbers_that_are_not_finite_are_refused_with_their_place(tmp_path, number):
    white, curv = tmp_path / "lh.white", tmp_path / "lh.curv"
    points = POINTS.copy()
    points[2, 1] = number
    write_geometry(white, points, TRIANGLES)
    write_morph_data(curv, points[:, 1])
    fault = r"has no finite numbers at 1 of 4 vertices, the first 2 \(from 0\)"
    with pytest.raises(InputError, match=rf"lh\.white: {fault}"):
        read_surface(white, 4)
    with pytest.raises(InputError, match=rf"lh\.curv: {fault}"):
        read_vertex_values(curv, 4)
    rows = np.frombuffer(patch_bytes([1, 2, 3])[8:], [("vertex", ">i4"), ("xyz", ">f4", 3)]).copy()
    rows["xyz"][2, 0] = number
    patch = tmp_path / "lh.full.flat.patch.3d"
    patch.write_bytes(patch_bytes([1, 2, 3])[:8] + rows.tobytes())
    with pytest.raises(InputError, match=r"patch\.3d: has no finite numbers at 1 of 3"):
        read_patch(patch, 4)


def test_a_patch_places_its_vertices_and_no_others(tmp_path):
    path = tmp_path / "lh.full.flat.patch.3d"
    path.write_bytes(patch_bytes([2, -4]))  # the second lies on the border
    flat = read_patch(path, 5)
    assert flat[1].tolist() == [0, 1]
    assert flat[3].tolist() == [3, 4]
    assert np.isnan(flat[[0, 2, 4]]).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no FreeSurfer patch"),
        (b"\0\0\0\1\0\0\0\0", "is no FreeSurfer patch"),
        (patch_bytes([1, 2, 3])[:-3], "announces 3 vertices, 48 bytes, and holds 45"),
        (patch_bytes([1, 2, 3], count=7), "announces 7 vertices"),
        (patch_bytes([1, 9]), "flattens vertices up to 8, but the surface has 5"),
    ],
)
def test_a_damaged_patch_is_refused(tmp_path, content, message):
    path = tmp_path / "lh.full.flat.patch.3d"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_patch(path, 5)


def test_a_missing_patch_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_patch(tmp_path / "rh.full.flat.patch.3d", 5)
