"""Writes a subject: anatomy, regions, and betas with planted signals."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xarray as xr

from brainstruct.datasets.averaging import Progress
from brainstruct.datasets.nsd.design import read_expdesign, trial_nsd_ids
from brainstruct.datasets.nsd.ids import session_numbers
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.ncsnr import compute_ncsnr
from brainstruct.datasets.nsd.numbers import TRIALS_PER_SESSION
from brainstruct.datasets.nsd.synthetic.betas import draw_session, spoil, write_hdf5, write_nifti
from brainstruct.datasets.nsd.synthetic.nifti import write_volume
from brainstruct.datasets.nsd.synthetic.planting import Voxels, plant
from brainstruct.datasets.nsd.synthetic.regions import Anatomy, draw_families, write_families
from brainstruct.datasets.nsd.synthetic.settings import Brains, FeatureKey
from brainstruct.datasets.nsd.synthetic.streams import stream
from brainstruct.datasets.nsd.synthetic.volumes import (
    brain_mask,
    draw_general,
    draw_mask,
    draw_mean,
)
from brainstruct.store.arrays import write_dataset


def truth_file(layout: Layout, subject: str) -> Path:
    """Return where the truth about a synthetic subject is stored."""
    return layout.nsd_root / "brainstruct_truth" / f"{subject}.nc"


def write_subject(
    layout: Layout,
    subject: str,
    anatomy: xr.Dataset,
    features: Mapping[FeatureKey, xr.DataArray],
    plan: Brains,
    n_sessions: int,
    seed: int,
    progress: Progress | None = None,
) -> None:
    """Write a synthetic subject into a study that `write_stimuli` began.

    A trial's beta is ``SPREAD * (signal * s[image] + e / ncsnr) + offset`` in percent signal
    change, scaled per voxel so that its standard deviation is `SPREAD`; s is the planted signal
    (variance 1 over images), e white noise, and the offset belongs to session and voxel. Voxels
    without a planted signal are noise. In each session one voxel of nsdgeneral is all zero and some
    numbers are saturated, as it happens in the NSD.

    The anatomy is one for `Anatomy.from_dataset`; `features` are those of every planted
    feature space, (stimulus, feature), for every image shown. The same seed gives the same
    data. `progress` is called after each session with (done, all). An `InputError` if the plan
    names a region that the anatomy lacks or features that are not given.
    """
    design = read_expdesign(layout.expdesign_file)
    nsd_id = trial_nsd_ids(design, subject, n_sessions)
    shown, image = np.unique(nsd_id, return_inverse=True)

    brain = Anatomy.from_dataset(anatomy)
    random = stream(seed, "voxels", subject)
    general = draw_general(brain, plan, random)
    mask = draw_mask(brain, general, random)
    voxels = plant(brain, general, mask, features, shown, plan, stream(seed, "plant", subject))

    families = draw_families(brain)
    families["nsdgeneral"] = np.where(general, 1.0, families["streams"].clip(max=0.0))
    write_families(layout, subject, families, brain.hemisphere)
    write_volume(brain_mask(brain).astype(np.int16), layout.brainmask_file(subject))
    write_volume(draw_mean(brain, random), layout.mean_file(subject))

    sessions: list[npt.NDArray[np.int16]] = []
    images = image.reshape(-1, TRIALS_PER_SESSION)
    for session, rows in zip(session_numbers(n_sessions), images, strict=True):
        betas = draw_session(voxels, rows, stream(seed, "session", subject, session))
        spoil(betas, voxels, stream(seed, "faults", subject, session))
        for fmt in plan.formats:
            write = write_hdf5 if fmt == "hdf5" else write_nifti
            write(betas, mask, layout.betas_file(subject, session, fmt))
        sessions.append(betas)
        if progress is not None:
            progress(session, n_sessions)
    ncsnr = np.full(mask.shape, np.nan, dtype=np.float32)
    ncsnr[mask] = compute_ncsnr(np.concatenate(sessions), nsd_id)
    write_volume(ncsnr, layout.ncsnr_file(subject))
    _write_truth(layout, subject, np.argwhere(mask), voxels, plan, seed)


def _write_truth(
    layout: Layout,
    subject: str,
    place: npt.NDArray[np.int64],
    voxels: Voxels,
    plan: Brains,
    seed: int,
) -> None:
    """Store what drives each voxel of nsdgeneral; no planted signal: empty names, layer -1."""
    general = voxels.general
    sources = [voxels.sources[number] for number in voxels.source[general]]
    instructions = np.array([source.instruction for source in sources], str)
    truth = xr.Dataset(
        {
            "planted_model": ("voxel", np.array([source.model for source in sources], str)),
            "planted_instruction": ("voxel", instructions),
            "planted_layer": ("voxel", np.array([source.layer for source in sources])),
            "region": ("voxel", voxels.region[general]),
            "ncsnr": ("voxel", voxels.ncsnr[general]),
        },
        coords={
            "voxel": np.arange(len(sources)),
            **{axis: ("voxel", at) for axis, at in zip("ijk", place[general].T, strict=True)},
        },
        attrs={"subject": subject},
    )
    write_dataset(
        truth, truth_file(layout, subject), provenance={"seed": seed, "plan": plan.model_dump()}
    )
