"""Draws the betas of a session as the NSD stores them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from brainstruct.nsd.betas import SATURATED, SCALE
from brainstruct.nsd.ids import IntArray
from brainstruct.nsd.synthetic.planting import Voxels

OFFSET = 0.5
"""Standard deviation of the session offsets over that of the betas."""

LARGEST = 32_000
"""Numbers beyond are left to `spoil`."""


def draw_session(
    voxels: Voxels, image: IntArray, spread: float, random: np.random.Generator
) -> npt.NDArray[np.int16]:
    """Draw one session.

    Parameters
    ----------
    voxels : Voxels
        What they respond to.
    image : ndarray of int64, [trial]
        Row of ``voxels.signal`` that each trial shows.
    spread : float
        Standard deviation of each voxel, in percent signal change.
    random : numpy.random.Generator
        Source of noise and offsets.

    Returns
    -------
    ndarray of int16, [trial, voxel]
        Percent signal change times 300.
    """
    noise = random.standard_normal((image.size, voxels.noise.size)) * voxels.noise
    total = np.sqrt(voxels.signal.var(axis=0) + voxels.noise**2)
    change = (voxels.signal[image] + noise) / total
    change += OFFSET * random.standard_normal(voxels.noise.size)
    stored = np.rint(change * spread * SCALE)
    betas: npt.NDArray[np.int16] = np.clip(stored, -LARGEST, LARGEST).astype(np.int16)
    return betas


def spoil(
    betas: npt.NDArray[np.int16],
    voxels: Voxels,
    n_saturated: int,
    random: np.random.Generator,
) -> None:
    """Do to a session, in place, what happens to real ones.

    One voxel of nsdgeneral becomes all zero (one that carries no planted
    signal, if there is any), and some numbers saturate.
    """
    general = np.flatnonzero(voxels.general)
    idle = general[voxels.source[general] == 0]
    trial = random.integers(betas.shape[0], size=n_saturated)
    betas[trial, random.choice(general, n_saturated)] = random.choice(SATURATED, n_saturated)
    betas[:, random.choice(idle if idle.size else general)] = 0
