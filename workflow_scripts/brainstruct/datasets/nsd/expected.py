"""How much of everything there is in the NSD, before a file is opened: for plans."""

from pathlib import Path

from brainstruct.datasets.nsd.numbers import (
    IMAGE_SIZE,
    N_IMAGES,
    N_OWN,
    N_SESSIONS,
    N_SHARED,
    TRIALS_PER_SESSION,
)
from brainstruct.datasets.nsd.synthetic.settings import Written
from brainstruct.store.resources import table_beside

_SUBJECTS = table_beside(__file__, "subjects.toml")

_OTHER_MASK = 15_000
"""Voxels of another mask at 1.8 mm, about."""

_VOLUME_VOXELS = {"func1pt8mm": 700_000, "func1mm": 4_000_000}
"""Voxels of a whole volume, about; betas are 16-bit integers."""

_STIM_INFO_BYTES = 11_600_000
_IMAGES_BYTES = N_IMAGES * IMAGE_SIZE * IMAGE_SIZE * 3
_WRITTEN_IMAGE_BYTES = 121_000
"""Of one image of a written data set, compressed."""


def n_images(written: Written | None, sessions: int, *, shared: bool) -> int:
    """Return how many images of all, or of one subject, are shown in the first sessions.

    Three repetitions at random times: ``1 - (1 - sessions / all)^3``.
    """
    total, longest = N_SHARED if shared else N_OWN, N_SESSIONS
    if written is not None:
        total, longest = written.shared_images if shared else written.unique_images, written.longest
    return round(total * float(1 - (1 - min(sessions / longest, 1)) ** 3))


def n_voxels(subject: str, mask: str, space: str, written: Written | None) -> int:
    """Return the number of voxels of a mask."""
    if written is not None:
        return written.max_labelled + written.n_unlabelled
    if mask == "nsdgeneral" and space == "func1pt8mm":
        return int(_SUBJECTS[subject]["nsdgeneral"])
    finer = _VOLUME_VOXELS[space] / _VOLUME_VOXELS["func1pt8mm"]
    return round(_OTHER_MASK * finer)


def n_bytes(file: Path, space: str, written: Written | None) -> int:
    """Return the size of a file of the data set."""
    if file.name == "nsd_stim_info_merged.csv":
        return _STIM_INFO_BYTES
    betas = file.name.startswith("betas_session")
    ending = "".join(file.suffixes)
    if betas and written is None:  # others of the subject say it best
        others = [path.stat().st_size for path in file.parent.glob(f"betas_session??{ending}")]
        if others:
            return sum(others) // len(others)
    if written is not None:
        if file.name == "nsd_stimuli.hdf5":
            images = written.shared_images + written.unique_images * len(written.sessions)
            return images * _WRITTEN_IMAGE_BYTES
        # Zero outside the mask, and compressed.
        voxels = written.max_labelled + written.n_unlabelled
        return voxels * TRIALS_PER_SESSION * 2 if betas else 300_000
    if file.name == "nsd_stimuli.hdf5":
        return _IMAGES_BYTES
    return _VOLUME_VOXELS[space] * TRIALS_PER_SESSION * 2 if betas else 1_000_000
