"""Decides what drives each voxel of a synthetic brain."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from brainstruct.datasets.nsd.ids import IntArray
from brainstruct.datasets.nsd.synthetic.regions import Anatomy
from brainstruct.datasets.nsd.synthetic.settings import Brains, FeatureKey, Planted
from brainstruct.errors import InputError

NOTHING = Planted.model_construct(roi="", model="", instruction="", layer=-1)


@dataclass(frozen=True)
class Voxels:
    """The voxels of a brain mask, in the order of ``argwhere``."""

    sources: tuple[Planted, ...]  # what can drive a voxel; the first is `NOTHING`
    source: IntArray  # [voxel]: place in `sources`
    region: npt.NDArray[np.str_]  # [voxel]: name in the anatomy, or ``""``
    general: npt.NDArray[np.bool_]  # [voxel]: inside nsdgeneral
    # [image, voxel]: noise-free response, in units of the planted signal's standard deviation.
    signal: npt.NDArray[np.float64]
    # [voxel]: standard deviation of the trial noise in the same units.
    noise: npt.NDArray[np.float64]

    @property
    def ncsnr(self) -> npt.NDArray[np.float64]:
        """True ratio of the standard deviations of signal and noise, [voxel]."""
        return np.asarray(self.signal.std(axis=0) / self.noise)


def plant(
    brain: Anatomy,
    general: npt.NDArray[np.bool_],
    mask: npt.NDArray[np.bool_],
    features: Mapping[FeatureKey, xr.DataArray],
    shown: IntArray,
    plan: Brains,
    random: np.random.Generator,
) -> Voxels:
    """Draw the signals and the noise level of every voxel in a mask.

    nsdgeneral and the brain mask are [i, j, k], features (stimulus, feature), and `shown`
    [image] the ``nsd_id`` of the subject's images. An `InputError` if a region has no voxel in
    nsdgeneral or features are not given.
    """
    inside = general[mask]
    region = np.array([brain.names.get(number, "") for number in brain.label[mask].tolist()], str)
    source = np.zeros(region.size, dtype=np.int64)
    signal = np.zeros((shown.size, region.size))
    noise = np.ones(region.size)
    for place, entry in enumerate(plan.planted, start=1):
        chosen = inside & (region == entry.roi)
        if not chosen.any():
            raise InputError(
                "planted",
                f"the region {entry.roi} has no voxel",
                f"Use some of {', '.join(sorted(set(region[inside]) - {''}))}",
            )
        if entry.key not in features:
            raise InputError(
                "planted", f"there are no features of {entry.key}", "Embed the images with them"
            )
        count = int(np.count_nonzero(chosen))
        source[chosen] = place
        signal[:, chosen] = plan.signal * planted_signals(features[entry.key], shown, count, random)
        noise[chosen] = 1 / random.uniform(*plan.ncsnr, count)
    return Voxels((NOTHING, *plan.planted), source, region, inside, signal, noise)


def planted_signals(
    features: xr.DataArray, nsd_id: IntArray, n_voxels: int, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Draw voxels that respond linearly to a feature space.

    Features (stimulus, feature) are z-scored over the images that are shown, and each voxel weights
    them with a random direction. The result is [image, voxel], of mean 0 and variance 1 over the
    images. An `InputError` if an image has no features, a feature is not finite, or none varies.
    """
    cure = "Embed the images of the subject with this model again"
    missing = np.setdiff1d(nsd_id, features["stimulus"].to_numpy())
    if missing.size:
        raise InputError(
            "features", f"{missing.size} shown images have none (nsd_id {missing[0]})", cure
        )
    values = features.transpose("stimulus", "feature").sel(stimulus=nsd_id).to_numpy()
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
