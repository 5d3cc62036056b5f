"""Flatmaps from the data set's own files, and on fsaverage5; each checked against pycortex."""

from __future__ import annotations

import shutil
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import xarray as xr

from brainstruct.datasets.nsd.synthetic.surfaces import write_mgz, write_surfaces
from brainstruct.datasets.nsd.volumes import read_volume
from brainstruct.errors import InputError
from brainstruct.figures.halves import read_alignment, read_stored
from brainstruct.figures.hemisphere import side_by_side
from brainstruct.figures.own_cortex import average_flatmap, flatmap_of_surface, own_flatmap
from brainstruct.figures.store_import import import_subject
from nsd_folder import write_fsaverage_index
from nsd_study import open_nsd

HEIGHT = 96


@pytest.fixture(scope="module")
def mask(nsd):
    return read_volume(nsd.roi_file("subj01", "nsdgeneral")) > 0


@pytest.fixture(scope="module")
def own(nsd, mask):
    return own_flatmap(open_nsd(nsd), "subj01", "full", mask, HEIGHT)


@pytest.fixture(scope="module")
def average(nsd, mask):
    return average_flatmap(open_nsd(nsd), "subj01", mask, HEIGHT)


def voxels_of(mask: np.ndarray, values: np.ndarray) -> xr.DataArray:
    ijk = np.argwhere(mask)
    coords = {axis: ("voxel", index) for axis, index in zip("ijk", ijk.T, strict=True)}
    return xr.DataArray(values, dims="voxel", coords=coords)


def test_every_pixel_shows_the_voxels_its_cortex_lies_in(own, mask):
    """The mask is cortex at the back, which is inward on both halves of the map."""
    (left, right), flatmap = own
    assert flatmap.note == ""
    shown = np.nan_to_num(flatmap.coverage(voxels_of(mask, np.ones(mask.sum(), bool)))) > 0.5
    points = np.concatenate([left.white, right.white])
    back = np.concatenate([half.white[np.unique(half.flat_triangles), 1] for half in own[0]])
    assert shown.sum() / flatmap.inside.sum() == pytest.approx((back < -30).mean(), abs=0.06)
    columns = np.arange(shown.shape[1]) / shown.shape[1]
    assert np.abs(columns[shown.any(axis=0)] - 0.5).max() < 0.3
    assert len(points) == 20484
    np.testing.assert_allclose(flatmap.depth, 1, atol=1e-6)


def test_gyri_are_positive_in_both_routes(own, average):
    for (left, right), flatmap in (own, average):
        # Crowns of gyri are farthest from the inflated surface's middle: out of the sulci.
        for half in (left, right):
            depth = np.linalg.norm(half.pial - half.white.mean(axis=0), axis=1)
            assert np.corrcoef(half.curvature, depth)[0, 1] > 0.2
        assert 0.3 < (flatmap.curvature[flatmap.inside] > 0).mean() < 0.7


def test_fsaverage_shows_the_same_voxels_and_says_so(own, average, mask):
    """The subject is fsaverage5 itself, so both routes show the same cortex, turned a little."""
    assert average[1].note == "shown on fsaverage5"
    codes = voxels_of(mask, np.random.default_rng(0).integers(0, 4, mask.sum()))
    shares = []
    for _, flatmap in (own, average):
        vote = flatmap.vote(codes, 4)
        assert set(np.unique(vote)) == {-1, 0, 1, 2, 3}
        shares.append(np.bincount(vote[flatmap.inside] + 1) / flatmap.inside.sum())
    np.testing.assert_allclose(shares[0], shares[1], atol=0.02)


def test_vertices_are_carried_by_the_registration(own_nsd, average, mask):
    """Another order of the subject's vertices changes the index and not the map."""
    order = np.random.default_rng(1).permutation(10242)
    for side in ("lh", "rh"):
        for path in own_nsd.depth_files("subj01", side):
            stored = np.asarray(nib.load(path).dataobj).reshape(-1, 3)
            write_mgz(path, stored[order])
        write_fsaverage_index(own_nsd, "subj01", side, np.argsort(order))
    _, shuffled = average_flatmap(open_nsd(own_nsd), "subj01", mask, HEIGHT)
    assert (shuffled.sampler != average[1].sampler).nnz == 0


def test_vertices_without_coordinates_leave_pixels_blank(own_nsd, mask):
    path = own_nsd.depth_files("subj01", "lh")[1]
    stored = np.asarray(nib.load(path).dataobj).reshape(-1, 3).copy()
    stored[5000:] = 9999
    write_mgz(path, stored)
    _, flatmap = own_flatmap(open_nsd(own_nsd), "subj01", "full", mask, HEIGHT)
    shares, count = np.unique(flatmap.depth.round(3), return_counts=True)
    assert shares.tolist() == pytest.approx([0.667, 1])
    assert (count > 1000).all()


def test_a_surface_is_drawn_as_pycortex_draws_it(pycortexs, s1_store):
    """Where the alignment is affine both can draw it: the same pixels, the same voxels."""
    folder = s1_store / "db" / "S1"
    pair = side_by_side(*read_stored(folder))
    alignment = read_alignment(folder, "fullhead")
    voxels = np.concatenate([alignment.depths(half) for half in pair], axis=1)
    flatmap = flatmap_of_surface(*pair, voxels, alignment.shape, HEIGHT)
    assert flatmap.inside.shape == pycortexs.inside.shape
    # pycortex's mask is wider by half a pixel: it counts all that the outline touches.
    both = flatmap.inside & pycortexs.inside
    np.testing.assert_array_equal(both, flatmap.inside)
    assert both.sum() / pycortexs.inside.sum() > 0.95
    everywhere = np.ones((100, 100, 31), bool)
    i, j, k = np.argwhere(everywhere).T
    codes = voxels_of(everywhere, (i // 9 + j // 9 + k // 5) % 4)
    drawn, expected = flatmap.vote(codes, 4), pycortexs.vote(codes, 4)
    # Their pixels' centres are up to half a pixel (2 mm here) apart.
    near = [np.roll(expected, move, (0, 1)) for move in np.ndindex(2, 2)]
    near += [np.roll(expected, (-row, -column), (0, 1)) for row, column in np.ndindex(2, 2)]
    assert (drawn == expected)[both].mean() > 0.8
    assert np.any([drawn == image for image in near], axis=0)[both].mean() > 0.97


@pytest.fixture
def imported(own, s1_store):
    """The store in use with a subject more, for one test."""
    from brainstruct.figures.cortex_store import pycortex

    database = pycortex().db
    folder = import_subject(s1_store, "subj01", *own[0])
    database.reload_subjects()
    yield folder
    shutil.rmtree(folder)
    database.reload_subjects()


def test_pycortex_draws_an_imported_subject(own, imported):
    from brainstruct.figures.cortex_store import private_cache, pycortex

    (left, right), flatmap = own
    cortex = pycortex()
    with private_cache():
        inside, _ = cortex.quickflat.utils.get_flatmask("subj01", height=HEIGHT)
    drawn = inside.T[::-1]
    assert (drawn & flatmap.inside).sum() / (drawn | flatmap.inside).sum() > 0.94
    curvature = cortex.db.get_surfinfo("subj01", "curvature").data
    np.testing.assert_array_equal(curvature, np.concatenate([left.curvature, right.curvature]))
    flat, _ = cortex.db.get_surf("subj01", "flat", "lh")
    np.testing.assert_allclose(
        flat[np.unique(left.flat_triangles), :2], left.flat[np.unique(left.flat_triangles)]
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda nsd: nsd.surface_file("subj01", "rh", "pial").unlink(),
            r"rh\.pial: does not exist",
        ),
        (
            lambda nsd: _cut(nsd.surface_file("subj01", "lh", "inflated")),
            r"lh\.inflated: is damaged",
        ),
        (lambda nsd: _cut(nsd.patch_file("subj01", "rh", "full")), r"rh\.full\.flat.*damaged"),
        (lambda nsd: _cut(nsd.depth_files("subj01", "lh")[0]), r"layerB1\.mgz: is damaged"),
    ],
)
def test_damaged_files_are_named(own_nsd, mask, damage, message):
    damage(own_nsd)
    with pytest.raises(InputError, match=message):
        own_flatmap(open_nsd(own_nsd), "subj01", "full", mask, HEIGHT)


def test_surfaces_and_transforms_of_two_reconstructions_are_refused(own_nsd, mask, fsaverage):
    for path in own_nsd.depth_files("subj01", "rh"):
        stored = np.asarray(nib.load(path).dataobj).reshape(-1, 3)
        write_mgz(path, stored[:-10])
    with pytest.raises(InputError, match="has 10232 vertices, the rh surfaces have 10242"):
        own_flatmap(open_nsd(own_nsd), "subj01", "full", mask, HEIGHT)


def test_transforms_of_another_grid_are_refused(nsd, mask):
    for shape in [(40, 50, 40), (146, 190, 150)]:
        other = np.zeros(shape, bool)
        other[-15:, -15:, -15:] = True
        for build in (
            lambda other: own_flatmap(open_nsd(nsd), "subj01", "full", other, HEIGHT),
            lambda other: average_flatmap(open_nsd(nsd), "subj01", other, HEIGHT),
        ):
            with pytest.raises(InputError, match="another grid"):
                build(other)


def test_a_patch_of_nothing_is_refused(own_nsd, mask, fsaverage):
    scattered = replace(fsaverage[0], flat_triangles=np.array([[0, 0, 0]]))
    write_surfaces(own_nsd, "subj01", scattered)
    with pytest.raises(InputError, match=r"flattens no whole triangle of lh\.white"):
        own_flatmap(open_nsd(own_nsd), "subj01", "full", mask, HEIGHT)


def _cut(path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
