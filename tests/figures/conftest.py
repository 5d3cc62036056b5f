"""A small made-up cortex for drawings, and pycortex's S1 for what needs a real one."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import numpy as np
import pytest
import xarray as xr
from scipy import sparse

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.figures.cortex_store import find_subject, use_store
from brainstruct.figures.halves import DEPTHS
from brainstruct.figures.preparing import prepare_stored
from brainstruct.figures.stage import Stage
from brainstruct.figures.surface import Flatmap, read_flatmap
from nsd_folder import write_subject

HEIGHT = 96

VOLUME = (82, 106, 84)


@pytest.fixture(scope="session")
def sheet() -> Flatmap:
    """Two square hemispheres, 40 x 80 pixels over 8 x 4 x 3 voxels; k is the depth."""
    rows, columns, shape = 40, 80, (8, 4, 3)
    inside = np.zeros((rows, columns), bool)
    inside[2:-2, 2:39] = inside[2:-2, 41:-2] = True
    y, x = np.nonzero(inside)
    i, j = x * shape[0] // columns, y * shape[1] // rows
    pixel = np.arange(len(x))
    depths = [np.ravel_multi_index((np.full_like(i, k), j, i), shape[::-1]) for k in range(3)]
    sampler = sparse.coo_array(
        (np.full(3 * len(x), 1 / 3, np.float32), (np.tile(pixel, 3), np.concatenate(depths))),
        shape=(len(x), np.prod(shape)),
    ).tocsr()
    curvature = np.where(inside, np.sin(np.arange(columns) / 3), np.nan).astype(np.float32)
    return Flatmap(sampler, inside, (-40.0, 40.0, -20.0, 20.0), curvature, shape)


@pytest.fixture(scope="session")
def voxels() -> xr.Dataset:
    """All voxels of the sheet's volume."""
    ijk = np.indices((8, 4, 3)).reshape(3, -1)
    coords = {axis: ("voxel", index) for axis, index in zip("ijk", ijk, strict=True)}
    return xr.Dataset(coords={"voxel": np.arange(ijk.shape[1]), **coords})


@pytest.fixture
def place(voxels: xr.Dataset):
    """Give values the sheet's voxels."""

    def placed(values) -> xr.DataArray:
        return xr.DataArray(np.asarray(values), dims="voxel", coords=voxels.coords)

    return placed


@pytest.fixture
def rois(voxels: xr.Dataset) -> xr.DataArray:
    """A region in the left hemisphere, and one without voxels."""
    left = (voxels["i"] < 2) & (voxels["j"] > 1)
    return xr.DataArray(
        np.stack([left, np.zeros(voxels.sizes["voxel"], bool)]),
        dims=("roi", "voxel"),
        coords={**voxels.coords, "roi": ["V1", "absent"]},
    )


@pytest.fixture(scope="session")
def painted():
    """Return the layer over the folds of axes, [row, column, RGBA] of the whole sheet."""

    def whole(axes) -> np.ndarray:
        _, layer = axes.images
        left, right, bottom, top = (round(edge + 0.5) for edge in layer.get_extent())
        image = np.zeros((40, 80, 4), np.float32)
        image[top:bottom, left:right] = layer.get_array()
        return image

    return whole


@pytest.fixture(scope="session")
def stage(sheet: Flatmap) -> Stage:
    """The sheet without outlines."""
    return Stage(sheet)


@pytest.fixture(scope="session")
def s1_store(tmp_path_factory: pytest.TempPathFactory):
    """A store with pycortex's own subject S1, in use."""
    if find_spec("cortex") is None:
        pytest.skip("needs pycortex")
    folder = tmp_path_factory.mktemp("cortex")
    prepare_stored(folder, find_subject(None, "S1"), ["fullhead", "retinotopy"], HEIGHT)
    use_store(folder)
    return folder


@pytest.fixture(scope="session")
def s1_flatmap(s1_store) -> Flatmap:
    """Its flatmap."""
    return read_flatmap(s1_store / "flatmaps" / "S1-fullhead.npz")


@pytest.fixture(scope="session")
def pycortexs(s1_store) -> Flatmap:
    """The same, by pycortex."""
    from brainstruct.figures.cortex_store import private_cache, pycortex

    utils = pycortex().quickflat.utils
    with private_cache():
        inside, extent = utils.get_flatmask("S1", height=HEIGHT)
        sampler = utils.get_flatcache(
            "S1", "fullhead", height=HEIGHT, thick=DEPTHS, sampler="nearest"
        )
    # It counts pixels column by column from the bottom left.
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(inside.sum())
    number = number.T[::-1]
    sampler = sparse.csr_array(sampler[number[number >= 0]], dtype=np.float32)
    edges = tuple(float(edge) for edge in extent)
    return Flatmap(sampler, number >= 0, edges, np.zeros(number.shape), (100, 100, 31))


@pytest.fixture(scope="session")
def s1_anatomy(s1_store) -> xr.Dataset:
    from brainstruct.figures.anatomy import sample_anatomy

    return sample_anatomy("S1", "fullhead", ["V1", "V2", "EBA", "PPA"])


@pytest.fixture(scope="session")
def fsaverage():
    """fsaverage5's hemispheres."""
    from brainstruct.figures.fsaverage import load_fsaverage5

    return load_fsaverage5()


@pytest.fixture(scope="session")
def nsd(tmp_path_factory, fsaverage) -> Layout:
    """A data set whose subj01 has the cortex of fsaverage5; copy it before changing it."""
    layout = Layout(tmp_path_factory.mktemp("nsd") / "root")
    write_subject(layout, "subj01", fsaverage, VOLUME)
    return layout


@pytest.fixture
def own_nsd(nsd, tmp_path) -> Layout:
    """A copy of the data set, to be damaged."""
    shutil.copytree(nsd.nsd_root, tmp_path / "nsd")
    return Layout(tmp_path / "nsd")
