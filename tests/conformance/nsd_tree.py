"""A tree in the NSD's formats, written here alone: what the workflow writes may change.

Two subjects with two sessions and one, in volumes of 60 voxels. 500 images come thrice in
the first two sessions, 40 of them shared.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import nibabel as nib
import numpy as np
import pandas as pd
import scipy.io

SHAPE = (5, 4, 3)
MASK = "nsdgeneral"
SUBJECTS = ("subj01", "subj02")
AFFINE = np.array([[-1.8, 0, 0.1, 9], [0, 1.8, 0, -5], [0, 0.2, 1.8, 3], [0, 0, 0, 1]])
N_IMAGES, N_TRIALS, SESSION = 73_000, 30_000, 750


def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Positions of all trials, and the images of eight subjects, both counted from 1."""
    random = np.random.default_rng(1)
    order = random.permutation(N_IMAGES) + 1
    own = order[1000:].reshape(8, -1)
    images = np.hstack([np.tile(np.sort(order[:1000]), (8, 1)), own])
    early = np.isin(np.arange(10_000), [*range(40), *range(1000, 1460)])
    shown = [random.permutation(np.repeat(np.flatnonzero(part), 3)) + 1 for part in (early, ~early)]
    return np.concatenate(shown), images


def shown_to(subject: str, sessions: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids of the trials of a subject, and those that are shared."""
    positions, images = drawn()
    listed = images[int(subject[-1]) - 1] - 1
    return listed[positions[: sessions * SESSION] - 1], listed[:1000]


def table_of(subject: str, sessions: int) -> pd.DataFrame:
    """The image list of a subject, as rule index_stimuli writes it."""
    shown, shared = shown_to(subject, sessions)
    ids, counts = np.unique(shown, return_counts=True)
    test = np.isin(ids, shared)
    return pd.DataFrame(
        {
            "nsd_id": ids,
            "split": np.where(test, "test", "train"),
            "test_set": np.where(test, "shared", ""),
            "repetitions": counts,
            "trials": [",".join(map(str, np.flatnonzero(shown == one))) for one in ids],
        }
    )


def write_tree(root: Path) -> Path:
    """Write everything; return the root."""
    for folder in ("nsddata/experiments/nsd", "nsddata_stimuli/stimuli/nsd/annotations"):
        (root / folder).mkdir(parents=True)
    write_experiment(root / "nsddata/experiments/nsd")
    write_pixels(root / "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5")
    write_captions(root / "nsddata_stimuli/stimuli/nsd/annotations")
    for subject, sessions in zip(SUBJECTS, (2, 1), strict=True):
        write_subject(root, subject, sessions)
    return root


def write_experiment(folder: Path) -> None:
    positions, images = drawn()
    content = {
        "masterordering": positions[None],
        "subjectim": images,
        "sharedix": images[:1, :1000],
    }
    scipy.io.savemat(
        folder / "nsd_expdesign.mat", {name: one.astype(float) for name, one in content.items()}
    )
    random = np.random.default_rng(2)
    table = pd.DataFrame(
        {
            "cocoId": random.permutation(N_IMAGES) + 10,
            "cocoSplit": np.where(random.random(N_IMAGES) < 0.2, "val2017", "train2017"),
            "nsdId": np.arange(N_IMAGES),
            "shared1000": np.isin(np.arange(N_IMAGES) + 1, images[0, :1000]),
        }
    )
    table.to_csv(folder / "nsd_stim_info_merged.csv")


PICTURES = (0, 7, 72_999)


def write_pixels(path: Path) -> None:
    with h5py.File(path, "w") as file:
        brick = file.create_dataset("imgBrick", (N_IMAGES, 6, 8, 3), np.uint8, chunks=(1, 6, 8, 3))
        for one in PICTURES:
            brick[one] = np.random.default_rng(one).integers(1, 256, (6, 8, 3))


CAPTIONED = pd.DataFrame(
    {
        "stimulus": [4, 9, 2],
        "coco_id": [31, 8, 12],
        "coco_split": ["val2017", "train2017", "val2017"],
    }
)


def write_captions(folder: Path) -> None:
    written: dict[str, list[dict[str, Any]]] = {"train2017": [], "val2017": []}
    for number, split in zip(CAPTIONED["coco_id"], CAPTIONED["coco_split"], strict=True):
        for place in (5, 1, 3):
            text = f"  Image {number}, seen {place} times. "
            written[split].append(
                {"image_id": int(number), "id": 1000 * place + int(number), "caption": text}
            )
    for split, captions in written.items():
        (folder / f"captions_{split}.json").write_text(json.dumps({"annotations": captions}))


def write_subject(root: Path, subject: str, sessions: int) -> None:
    """Write betas (HDF5 of the first subject, NIfTI of the second), ncsnr, regions, transforms."""
    random = np.random.default_rng([3, int(subject[-1])])
    space, version = "func1pt8mm", "betas_fithrf_GLMdenoise_RR"
    betas = root / f"nsddata_betas/ppdata/{subject}/{space}/{version}"
    regions = root / f"nsddata/ppdata/{subject}/{space}/roi"
    transforms = root / f"nsddata/ppdata/{subject}/transforms"
    for folder in (betas, regions, transforms):
        folder.mkdir(parents=True)
    signal = random.standard_normal((N_IMAGES, 1)) * random.uniform(0, 400, 60)
    shown, _ = shown_to(subject, sessions)
    for number, ids in enumerate(shown.reshape(sessions, SESSION), start=1):
        noise = random.standard_normal((SESSION, 60)) * 300 + 50 * number
        stored = np.rint(signal[ids] + noise).astype(np.int16)
        stored[random.integers(SESSION, size=9), random.integers(60, size=9)] = 32767
        stored[:, 33] = 0
        volumes = stored.reshape(SESSION, *SHAPE)
        name = f"betas_session{number:02d}"
        if subject == "subj01":
            with h5py.File(betas / f"{name}.hdf5", "w") as file:
                file["betas"] = volumes.transpose(0, 3, 2, 1)
        else:
            nib.save(nib.Nifti1Image(np.moveaxis(volumes, 0, -1), AFFINE), betas / f"{name}.nii.gz")
    volume(random.uniform(0.1, 1.2, SHAPE), betas / "ncsnr.nii.gz")
    marked = random.random(SHAPE) < 0.5
    marked[tuple(np.argwhere(np.arange(60).reshape(SHAPE) == 33)[0])] = True
    volume(marked, regions / f"{MASK}.nii.gz")
    volume(random.integers(-1, 6, SHAPE), regions / "floc-faces.nii.gz")
    volume(random.integers(0, 8, SHAPE), regions / "prf-visualrois.nii.gz")
    places = np.argwhere(marked)
    for side in ("lh", "rh"):
        for depth in (1, 2, 3):
            moved = places + 1 + random.uniform(-0.4, 0.4, places.shape)
            moved[2] = 9999
            vertices(moved[:, None, None], transforms / f"{side}.func1pt8-to-layerB{depth}.mgz")
        index = random.integers(len(places), size=163_842) + 1
        vertices(index[:, None, None], transforms / f"{side}.white-to-fsaverage.mgz")


def volume(values: np.ndarray, path: Path) -> None:
    nib.save(nib.Nifti1Image(np.asarray(values, np.float64), AFFINE), path)


def vertices(values: np.ndarray, path: Path) -> None:
    nib.save(nib.freesurfer.MGHImage(np.asarray(values, np.float32), np.eye(4)), path)
