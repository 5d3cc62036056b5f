"""Signals that a known feature space drives."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from brainstruct.errors import InputError


def planted_signals(
    features: xr.DataArray,
    nsd_id: npt.NDArray[np.int64],
    n_voxels: int,
    random: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Draw voxels that respond linearly to a feature space.

    Features are z-scored over the images, and each voxel weights them with a
    random direction.

    Parameters
    ----------
    features : xarray.DataArray, (nsd_id, feature)
        One vector per image; more images than `nsd_id` do no harm.
    nsd_id : ndarray of int64, [image]
        The images shown.
    n_voxels : int
        Voxels to draw.
    random : numpy.random.Generator
        Source of the weights.

    Returns
    -------
    ndarray of float64, [image, voxel]
        Mean 0 and variance 1 over the images.

    Raises
    ------
    InputError
        If an image has no features, a feature is not finite, or none varies.
    """
    cure = "Embed the images of the subject with this model again"
    missing = np.setdiff1d(nsd_id, features["nsd_id"].to_numpy())
    if missing.size:
        raise InputError(
            "features", f"{missing.size} shown images have none (nsd_id {missing[0]})", cure
        )
    values = features.transpose("nsd_id", "feature").sel(nsd_id=nsd_id).to_numpy()
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise InputError("features", "are not finite", cure)
    values -= values.mean(axis=0)
    spread = values.std(axis=0)
    scaled = values[:, spread > 0] / spread[spread > 0]
    if not scaled.size:
        raise InputError("features", "do not vary over the images", cure)
    signals: npt.NDArray[np.float64] = scaled @ random.standard_normal((scaled.shape[1], n_voxels))
    signals -= signals.mean(axis=0)
    signals /= signals.std(axis=0)
    return signals
