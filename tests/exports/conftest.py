"""Made-up scores of a subject that has surfaces."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from made_up_scores import INSTRUCTIONS, LAYERS, SHAPE, THRESHOLD

from brainstruct.brain.images import Grid
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.encoding.alignment import find_winners
from ceilings import usable
from nsd_folder import write_subject


@pytest.fixture(scope="session")
def nsd(tmp_path_factory) -> Layout:
    """A subject that is fsaverage5, with surfaces and transforms."""
    from brainstruct.figures.fsaverage import load_fsaverage5

    layout = Layout(tmp_path_factory.mktemp("nsd"))
    write_subject(layout, "subj01", load_fsaverage5(), SHAPE)
    return layout


@pytest.fixture(scope="session")
def space(nsd) -> xr.Dataset:
    """Some voxels of the mask; the ceilings of a fifth are too low."""
    from brainstruct.datasets.nsd.volumes import read_volume

    random = np.random.default_rng(0)
    place = np.argwhere(read_volume(nsd.roi_file("subj01", "nsdgeneral")) > 0)[::2]
    n = len(place)
    ceiling = random.uniform(0.35, 0.9, n).astype(np.float32)
    ceiling[random.permutation(n)[: n // 5]] = 0.1
    return xr.Dataset(
        {
            "ceiling_ncsnr": ("voxel", ceiling),
            "roi_label": (("roi", "voxel"), np.ones((1, n), np.int16)),
        },
        coords={
            "voxel": np.arange(n),
            "roi": ["floc-bodies"],
            **{axis: ("voxel", index) for axis, index in zip("ijk", place.T, strict=True)},
        },
        attrs={
            "volume_shape": list(SHAPE),
            "roi_labels": json.dumps({"floc-bodies": {"1": "EBA"}}),
        },
    )


@pytest.fixture(scope="session")
def scores(space) -> xr.Dataset:
    random = np.random.default_rng(1)
    shape = (len(INSTRUCTIONS), len(LAYERS), space.sizes["voxel"])
    r, cv = (random.normal(0.2, 0.1, shape).astype(np.float32) for _ in range(2))
    dims = ("instruction", "layer", "voxel")
    return xr.Dataset(
        {"r": (dims, r), "cv_score": (dims, cv)},
        coords={
            "instruction": list(INSTRUCTIONS),
            "layer": LAYERS,
            "voxel": space["voxel"],
            **{axis: space[axis] for axis in "ijk"},
        },
        attrs={"n_permutations": 1000, "n_train": 100, "n_test": 50},
    )


@pytest.fixture(scope="session")
def winners(scores, space) -> xr.Dataset:
    found = find_winners(scores, usable(space["ceiling_ncsnr"], THRESHOLD), rule="best")
    known = found["layer"] >= 0
    return found.assign(
        clear=known & (np.arange(known.size) % 3 > 0),
        q=xr.where(known, 0.5, np.nan),
        layer_low=found["layer"].where(~known, 0),
        layer_high=found["layer"].where(~known, 3),
    )


@pytest.fixture(scope="session")
def grid() -> Grid:
    """As the NSD's volumes have it: voxel size on the diagonal, origin in the centre."""
    affine = np.diag([1.8, 1.8, 1.8, 1.0])
    affine[:3, 3] = (1 - (1 + np.array(SHAPE)) / 2) * 1.8
    return Grid(affine, SHAPE, 1)
