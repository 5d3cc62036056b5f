"""Where the voxels of volumes lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Grid:
    """The grid of a volume.

    Attributes
    ----------
    affine : ndarray of float64, [4, 4]
        From voxels, counted from 0, to millimetres.
    shape : tuple of int
        Voxels along x, y and z.
    code : int
        What the millimetres are, NIfTI's ``sform_code`` (1: the subject's own space).
    """

    affine: npt.NDArray[np.float64]
    shape: tuple[int, int, int]
    code: int
