"""Maps of a cortex without an affine transform to the data, for the interactive pages.

The pages look colours up in volumes. Where only the data set's nonlinear transforms say which
voxels lie under a piece of cortex, the flatmap has been built with them; here its pixels are
carried back to the cortex, into a volume in the surfaces' own space that is finer than the data.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brainstruct.figures.cortex_store import pycortex
from brainstruct.figures.surface import Flatmap

_TRANSFORM = "viewer"  # that `save` adds to a store
_SPACING = 1.25  # edge of the grid's voxels, mm; a page keeps 7 MB of memory per map
_REACH = 4.0  # from mid-cortex the grid is filled, mm; corners of fsaverage5 lie as far apart


@dataclass(frozen=True)
class CortexGrid:
    """A volume around mid-cortex, in the space of a subject's surfaces."""

    shape: tuple[int, int, int]  # along z, y and x, as pycortex orders them
    to_voxels: NDArray[np.float64]  # [4, 4], from mm (x, y, z)
    places: NDArray[np.int64]  # voxels that are filled, in the flattened volume
    vertices: NDArray[np.int64]  # the one nearest to each of them
    pixels: NDArray[np.int64]  # [vertex]: place in the flattened flatmap, -1 off it

    def volume(self, image: NDArray[np.floating]) -> NDArray[np.float32]:
        """Carry an image of the flatmap [row, column] to the cortex; NaN elsewhere."""
        pixels = self.pixels[self.vertices]
        values = np.where(pixels >= 0, image.ravel()[pixels], np.nan)
        volume = np.full(int(np.prod(self.shape)), np.nan, np.float32)
        volume[self.places] = values
        return volume.reshape(self.shape)

    def save(self, surface: str) -> str:
        """Add the grid to the store in use, as a transform of a subject; return its name."""
        with tempfile.TemporaryDirectory() as folder:
            reference = Path(folder) / "reference.nii.gz"
            empty = np.zeros(self.shape[::-1], np.uint8)
            nibabel.save(nibabel.Nifti1Image(empty, np.eye(4)), reference)
            pycortex().db.save_xfm(
                surface, _TRANSFORM, self.to_voxels, xfmtype="coord", reference=str(reference)
            )
        return _TRANSFORM


def cortex_grid(surface: str, flatmap: Flatmap) -> CortexGrid:
    """Lay a grid around all of the cortex of a subject of the store in use.

    All of it, because the pages look beyond the end of a volume into its next slice.
    """
    middle = _middle(surface)
    origin = np.floor(middle.min(axis=0) - _REACH)
    counts = np.ceil((middle.max(axis=0) + _REACH - origin) / _SPACING).astype(int) + 1
    x, y, z = (origin[axis] + _SPACING * np.arange(counts[axis]) for axis in range(3))
    points = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], axis=-1).reshape(-1, 3)
    distance, nearest = cKDTree(middle).query(points, distance_upper_bound=_REACH)
    places = np.flatnonzero(np.isfinite(distance))
    to_voxels = np.diag([1 / _SPACING] * 3 + [1.0])
    to_voxels[:3, 3] = -origin / _SPACING
    return CortexGrid(
        shape=(len(z), len(y), len(x)),
        to_voxels=to_voxels,
        places=places,
        vertices=nearest[places],
        pixels=_pixels(flatmap),
    )


def covers_cortex(surface: str, transform: str) -> bool:
    """Return whether all of mid-cortex lies in the volume of a transform."""
    reference = pycortex().db.get_xfm(surface, transform, xfmtype="coord")
    place = reference(_middle(surface))
    inside = (place > -0.5) & (place < np.array(reference.shape[::-1]) - 0.5)
    return bool(inside.all())


def _middle(surface: str) -> NDArray[np.float64]:
    db = pycortex().db
    inner, outer = (db.get_surf(surface, name, merge=True)[0] for name in ("wm", "pia"))
    return np.asarray((inner + outer) / 2)


def _pixels(flatmap: Flatmap) -> NDArray[np.int64]:
    """Find the pixel that each vertex lies in."""
    left, right, bottom, top = flatmap.extent
    rows, columns = flatmap.inside.shape
    shown = np.asarray(np.isfinite(flatmap.vertices).all(axis=1))
    x, y = flatmap.vertices[shown].T
    column = np.floor((x - left) / (right - left) * columns).clip(0, columns - 1)
    row = np.floor((top - y) / (top - bottom) * rows).clip(0, rows - 1)
    found = np.full(len(shown), -1)
    found[shown] = (row * columns + column).astype(np.int64)
    return found
