"""What was measured: betas in the voxels of a mask, and what is known of their noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.datasets.nsd import numbers
from brainstruct.datasets.nsd.betas import SATURATED, SCALE, read_session
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.ncsnr import read_ncsnr
from brainstruct.datasets.nsd.rois import read_mask
from brainstruct.datasets.nsd.sessions import Sessions
from brainstruct.datasets.reading import NoiseCeiling, Trials


def read_trials(layout: Layout, subject: str, mask: str, sessions: Sessions) -> Iterator[Trials]:
    """Read session by session; numbers at the ends of their type are not valid, nor is NaN."""
    marked = read_mask(layout, subject, mask)
    for session in sessions.numbers:
        stored = read_session(layout.betas_file(subject, session, sessions.format), marked)
        valid = np.isfinite(stored) & ~np.isin(stored, SATURATED)
        yield Trials(stored, SCALE, valid)


def voxels_of(layout: Layout, subject: str, mask: str) -> xr.Dataset:
    """Return the voxels of a mask in the order of ``numpy.argwhere``; see `Reader.places`."""
    marked = read_mask(layout, subject, mask)
    place = np.argwhere(marked)
    return xr.Dataset(
        coords={
            "voxel": np.arange(len(place)),
            **{axis: ("voxel", column) for axis, column in zip("ijk", place.T, strict=True)},
        },
        attrs={"volume_shape": list(marked.shape)},
    )


def known_noise(layout: Layout, subject: str, mask: str, trials: pd.DataFrame) -> NoiseCeiling:
    """Read the ncsnr that comes with the betas, made from images shown thrice in its trials."""
    marked = read_mask(layout, subject, mask)
    ncsnr = read_ncsnr(layout, subject, marked.shape)[marked]
    return NoiseCeiling(ncsnr, trials, numbers.N_REPETITIONS)
