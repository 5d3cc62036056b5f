"""Places of a subject, as the files that are made of them need them."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from brainstruct.brain.labels import names_as_text
from brainstruct.datasets.reading import Family


def with_regions(places: xr.Dataset, families: Sequence[Family]) -> xr.Dataset:
    """Add the labels of families of regions to places.

    These are ``roi_label`` (roi, voxel), int16: label number, 0 or below without a label; and
    the attribute roi_labels, see `brainstruct.brain.labels.family_names`.
    """
    labels = np.array([family.numbers for family in families], dtype=np.int16)
    return (
        places.assign_coords(roi=np.array([family.name for family in families], dtype=str))
        .assign(roi_label=(("roi", "voxel"), labels.reshape(len(families), places.sizes["voxel"])))
        .assign_attrs(roi_labels=names_as_text({family.name: family.names for family in families}))
    )


def volume_of(places: xr.Dataset) -> NDArray[np.bool_]:
    """Return the places of a volume as a mask, [i, j, k]."""
    mask = np.zeros(tuple(int(length) for length in places.attrs["volume_shape"]), bool)
    mask[tuple(places[axis].values for axis in ("i", "j", "k"))] = True
    return mask
