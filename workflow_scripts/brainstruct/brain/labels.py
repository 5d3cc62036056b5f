"""Labels of voxels, and names of label numbers in attributes: JSON, as netCDF has no mappings."""

import json
from collections.abc import Mapping
from typing import Any

import xarray as xr

UNCLEAR = "no clear winner"
"""Label of voxels whose best instruction, model or concept is not surely the best."""


def names_as_text(names: Mapping[Any, Any]) -> str:
    """Write number -> name, or family -> number -> name, as the text of an attribute."""
    return json.dumps(names)


def names_from_text(text: str) -> dict[int, str]:
    """Read number -> name from the text of an attribute."""
    return {int(number): str(name) for number, name in json.loads(text).items()}


def family_names(space: xr.Dataset) -> dict[str, dict[int, str]]:
    """Return family -> number above 0 -> name, whether or not a voxel has the label.

    They stand in the attribute that `brainstruct.datasets.places.with_regions` gives.
    """
    return {
        family: {int(number): name for number, name in names.items() if int(number) > 0}
        for family, names in json.loads(space.attrs["roi_labels"]).items()
    }
