from __future__ import annotations

import xarray as xr

from brainstruct.brain.labels import family_names, names_as_text, names_from_text


def test_names_come_back_with_their_numbers():
    names = {1: "V1v", 2: 'a "quoted" näme'}
    assert names_from_text(names_as_text(names)) == names


def test_numbers_without_a_region_have_no_name():
    text = names_as_text({"floc": {0: "Unknown", 1: "FFA-1"}, "prf": {-1: "outside"}})
    space = xr.Dataset(attrs={"roi_labels": text})
    assert family_names(space) == {"floc": {1: "FFA-1"}, "prf": {}}
