from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from brainstruct.figures.roi_names import family_labels, single_regions
from brainstruct.figures.voxels import keys_of, outlines, placed


@pytest.fixture
def space():
    labels = np.array([[1, 2, 3, 0], [0, 0, 1, 2]], np.int16)
    names = {"prf-visualrois": {"1": "V1v", "2": "V1d", "3": "V2v", "7": "hV4"}}
    names["floc-faces"] = {"1": "FFA-1", "2": "FFA-2", "4": "mTL-faces"}
    return xr.Dataset(
        {"roi_label": (("roi", "voxel"), labels)},
        coords={
            "roi": list(names),
            "voxel": np.arange(4),
            **{name: ("voxel", np.arange(4) * 2) for name in "ijk"},
        },
        attrs={"roi_labels": json.dumps(names)},
    )


def test_parts_of_a_region_are_outlined_together(space):
    drawn = outlines(space)
    assert drawn["roi"].values.tolist() == ["V1", "V2", "FFA"]
    assert drawn.sel(roi="V1").values.tolist() == [True, True, False, False]
    assert drawn.sel(roi="FFA").values.tolist() == [False, False, True, True]


def test_families_that_share_a_label_are_outlined_apart(space):
    names = json.loads(space.attrs["roi_labels"])
    names["floc-faces"] = {"1": "V1v", "2": "FFA-2"}
    drawn = outlines(space.assign_attrs(roi_labels=json.dumps(names)))
    assert drawn["roi"].values.tolist() == [
        "V1 (prf-visualrois)", "V2", "V1 (floc-faces)", "FFA"
    ]  # fmt: skip
    assert drawn.sel(roi="V1 (prf-visualrois)").values.tolist() == [True, True, False, False]
    assert drawn.sel(roi="V1 (floc-faces)").values.tolist() == [False, False, True, False]


def test_single_regions_are_named_by_family_where_a_label_is_not_enough():
    rows = [("nsdgeneral", "all"), ("prf", "all"), ("prf", "V1v"), ("prf", "hV4")]
    rows += [("kastner", "V1v"), ("kastner", "V1v"), ("floc", "FFA-1")]
    named = single_regions(pd.DataFrame(rows, columns=["family", "label"]), "nsdgeneral")
    assert named["roi"].tolist() == [
        "nsdgeneral", "V1v (prf)", "hV4", "V1v (kastner)", "V1v (kastner)", "FFA-1"
    ]  # fmt: skip


def test_no_region_at_all_is_no_outline(space):
    drawn = outlines(space.assign(roi_label=space["roi_label"] * 0))
    assert not drawn.any()


def test_winners_become_keys_at_their_place(space):
    keys = keys_of(xr.DataArray([1, -1, 0, 1], dims="voxel"), ["IC", "VQ1"], space)
    assert keys.values.tolist() == ["VQ1", "", "IC", "VQ1"]
    assert keys["k"].values.tolist() == [0, 2, 4, 6]
    assert placed(xr.DataArray([1.0, 2, 3, 4], dims="voxel"), space)["i"].values.tolist()[-1] == 6


def test_families_have_readable_names():
    assert family_labels(["floc-faces", "mine"]) == {"floc-faces": "Faces", "mine": "mine"}
