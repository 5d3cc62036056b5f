"""Seeded inputs of the stages that read a data set, and of the NSD's parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from nsd_tree import CAPTIONED, MASK, PICTURES, SHAPE, SUBJECTS, table_of, write_tree

from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.reader import NsdReader
from brainstruct.encoding.cross_subject import CrossSubjectOptions
from brainstruct.store.arrays import write_dataset
from estimate_ceiling import estimate_ceiling
from estimate_cross_subject import estimate_cross_subject
from index_stimuli import index_stimuli
from list_block import list_block
from prepare_responses import prepare_responses

Outputs = dict[str, object]


class WithoutNoise(NsdReader):
    """Does not know the noise: it is estimated."""

    def noise_ceiling(self, subject, mask):
        return None


class Unknown(Nsd):
    def reader(self):
        return WithoutNoise(self)


def tree(folder: Path) -> Path:
    """The tree, written once for all units of a run."""
    root = folder.parent / "nsd"
    return root if root.exists() else write_tree(root)


def nsd(folder: Path, kind: type[Nsd] = Nsd) -> Nsd:
    return kind(nsd_root=str(tree(folder)), sessions={"subj01": 2, "subj02": 1})


def lists(folder: Path) -> Outputs:
    found: Outputs = {}
    for subject in SUBJECTS:
        dataset, path = nsd(folder), folder / f"{subject}.tsv"
        index_stimuli(dataset=dataset, subject=subject, image_list=path)
        found[subject] = path
        found[f"{subject}-trials"] = dataset.reader().trials(subject).to_csv(index=False)
    return found


def blocks(folder: Path) -> Outputs:
    found = {}
    for name, index, images in (("shared", 0, 50), ("subj01", 19, 50), ("subj02", 21, 50)):
        found[f"{name}-{index}"] = folder / f"{name}-{index}.tsv"
        list_block(
            dataset=nsd(folder),
            image_set=name,
            index=index,
            images=images,
            block=found[f"{name}-{index}"],
        )
    return found


def responses(folder: Path) -> Outputs:
    found = {}
    for subject, kind in (("subj01", Nsd), ("subj02", Nsd), ("subj02", Unknown)):
        images = folder / "images.tsv"
        table_of(subject, {"subj01": 2, "subj02": 1}[subject]).to_csv(images, sep="\t", index=False)
        path = found[f"{subject}-{kind.__name__}"] = folder / f"{subject}-{kind.__name__}.nc"
        prepare_responses(
            image_list=images,
            dataset=nsd(folder, kind),
            subject=subject,
            mask=MASK,
            code="",
            responses=path,
        )
    return found


def measured(path: Path, seed: int, images: int, voxels: int) -> Path:
    """Responses of a subject that shares its signal with others."""
    shared = np.random.default_rng(4).standard_normal((images, 6))
    own = np.random.default_rng([5, seed])
    betas = shared @ own.standard_normal((6, voxels)) + own.standard_normal((images, voxels))
    place = np.argwhere(np.ones(SHAPE))[:voxels]
    stored = xr.Dataset(
        {"betas": (("stimulus", "voxel"), betas.astype(np.float32))},
        coords={
            "stimulus": np.arange(images) * 3,
            "split": ("stimulus", ["train", *["test"] * (images - 1)]),
            "test_set": ("stimulus", ["", *["shared"] * (images - 1)]),
            "repetitions": ("stimulus", own.integers(1, 4, images)),
            "voxel": np.arange(voxels),
            **{axis: ("voxel", place[:, at]) for at, axis in enumerate("ijk")},
            "ncsnr": ("voxel", own.uniform(0, 1.5, voxels)),
        },
        attrs={"volume_shape": list(SHAPE), "ncsnr_silent": 0.4},
    )
    write_dataset(stored, path)
    return path


def cross_subject(folder: Path) -> Outputs:
    found = {}
    for name, images, options in (
        ("spearman_brown", 61, {"extrapolate_images": True}),
        ("exponential", 61, {"extrapolate_images": False, "curve": "exponential"}),
        ("few", 40, {}),
    ):
        paths = [measured(folder / f"{name}{at}.nc", at, images, 7 - at) for at in range(4)]
        found[name] = folder / f"{name}.nc"
        estimate_cross_subject(
            target=paths[0],
            sources=paths[1:],
            subject="subj01",
            others=["subj02", "subj03", "subj04"],
            options=CrossSubjectOptions(n_bootstraps=6, subsets_per_size=2, seed=3, **options),
            code="",
            ceiling=found[name],
        )
    return found


def ceilings(folder: Path) -> Outputs:
    stored = measured(folder / "responses.nc", 1, 12, 20)
    other = xr.Dataset(
        {
            "ceiling_cross_subject": ("voxel", np.linspace(-0.1, 0.9, 20)),
            "standard_error": ("voxel", np.linspace(0.2, 0.05, 20)),
        },
        coords={"voxel": np.arange(20)},
        attrs={"note": "", "extrapolated": "yes", "n_images": 12, "tau": 1.5},
    )
    write_dataset(other, folder / "other.nc")
    found = {}
    for preferred, cross in (("ncsnr", None), ("cross_subject", folder / "other.nc")):
        found[preferred] = folder / f"{preferred}.nc"
        estimate_ceiling(
            responses=stored,
            cross_subject=cross,
            dataset=nsd(folder),
            rois=["floc-faces", "prf-visualrois"],
            preferred=preferred,
            subject="subj01",
            code="",
            ceiling=found[preferred],
        )
    return found


def pixels(folder: Path) -> Outputs:
    with nsd(folder).reader().pixels() as opened:
        return {str(one): np.asarray(opened.image(one)) for one in PICTURES} | {
            "size": np.array(opened.size_of(7))
        }


def captions(folder: Path) -> Outputs:
    found = nsd(folder).reader().captions(CAPTIONED)
    return {"captions": pd.Series(found).explode().reset_index().to_csv(index=False)}


def places(folder: Path) -> Outputs:
    reader = nsd(folder).reader()
    found: Outputs = {}
    for subject in SUBJECTS:
        at = reader.places(subject, MASK)
        mask = np.zeros(SHAPE, bool)
        mask[tuple(at[axis].values for axis in "ijk")] = True
        grid = reader.grid(subject, MASK, SHAPE)
        found |= {
            f"{subject}-places": at,
            f"{subject}-affine": grid.affine,
            f"{subject}-code": np.array([grid.code, *grid.shape]),
            f"{subject}-vertices": np.concatenate(reader.vertices(subject, mask), axis=1),
            f"{subject}-average": reader.average_vertices(subject, "lh", int(mask.sum())),
        }
    return found
