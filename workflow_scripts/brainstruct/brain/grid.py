"""Where the voxels of volumes lie."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Grid:
    """The grid of a volume."""

    affine: npt.NDArray[np.float64]  # [4, 4]: from voxels, counted from 0, to millimetres
    shape: tuple[int, int, int]  # voxels along x, y and z
    code: int  # what the millimetres are, NIfTI's ``sform_code`` (1: the subject's own space)
