"""The small study that the tests of this room read, and what it is made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.datasets.lists import image_list
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.design import ExpDesign, read_expdesign
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.reader import NsdReader
from brainstruct.datasets.nsd.stimuli import read_stim_info
from brainstruct.datasets.nsd.synthetic.settings import Brains, Experiment, FeatureKey, Planted
from brainstruct.datasets.nsd.synthetic.stimuli import write_stimuli
from brainstruct.datasets.nsd.synthetic.subjects import write_subject
from nsd_study import as_read, open_nsd

SEED = 7
SESSIONS = {"subj01": 2, "subj03": 1}
IMAGE_SIZE = 24
PLAN = Experiment(seed=SEED, sessions=SESSIONS, shared_images=100, unique_images=400)
PLANTED = (
    Planted(roi="V1", model="toy", instruction="IU1", layer=2),
    Planted(roi="FFA", model="toy", instruction="VQ2", layer=5),
)
REGIONS = {"V1": (0, 3), "V2": (3, 5), "EBA": (5, 6), "FFA": (6, 8), "PPA": (8, 9), "LO": (9, 10)}
SHAPE = (12, 14, 8)


def subject_plan(**changes: object) -> Brains:
    options: dict[str, object] = {
        "planted": list(PLANTED),
        "ncsnr": (0.3, 1.2),
        "n_unlabelled": 40,
        "formats": ["hdf5", "nifti"],
    }
    return Brains.model_validate(options | changes)


def make_anatomy() -> xr.Dataset:
    """Slabs of named regions along j, in a block of cortex in the middle of the volume."""
    cortex = np.zeros(SHAPE, dtype=bool)
    cortex[2:10, 2:13, 1:7] = True
    label = np.zeros(SHAPE, dtype=np.int16)
    for number, (start, stop) in enumerate(REGIONS.values(), start=1):
        label[3:8, 2 + start : 2 + stop, 2:5] = number
    dims = ("i", "j", "k")
    right = np.broadcast_to(np.arange(SHAPE[0])[:, None, None] >= SHAPE[0] // 2, SHAPE)
    return xr.Dataset(
        {
            "label": (dims, label),
            "cortex": (dims, cortex),
            "hemisphere": (dims, right.astype(np.int8)),
        },
        coords={dim: np.arange(size) for dim, size in zip(dims, SHAPE, strict=True)},
        attrs={"names": json.dumps(dict(enumerate(REGIONS, start=1)))},
    )


def make_features(nsd_id: np.ndarray) -> dict[FeatureKey, xr.DataArray]:
    """Random features of all planted spaces, the same for an image wherever it is asked for."""
    return {
        planted.key: xr.DataArray(
            np.stack(
                [np.random.default_rng([planted.layer, key]).standard_normal(16) for key in nsd_id]
            ).astype(np.float32),
            dims=("stimulus", "feature"),
            coords={"stimulus": nsd_id},
        )
        for planted in PLANTED
    }


@dataclass(frozen=True)
class Study:
    dataset: Nsd
    reader: NsdReader

    @property
    def layout(self) -> Layout:
        return self.dataset.layout

    @cached_property
    def design(self) -> ExpDesign:
        return read_expdesign(self.layout.expdesign_file)

    @cached_property
    def info(self) -> pd.DataFrame:
        return read_stim_info(self.layout.stim_info_file, self.design)

    def index(self, subject: str) -> pd.DataFrame:
        """The image list of a subject, with ids in ``nsd_id``."""
        return image_list(self.dataset, self.reader, subject)

    def images(self, subject: str) -> pd.DataFrame:
        """The same as jobs read it from disk, with ids in ``stimulus``."""
        return as_read(self.index(subject))


def write_study(layout: Layout) -> Study:
    """Write stimuli and subjects of the small study."""
    write_stimuli(layout, PLAN, IMAGE_SIZE)
    dataset = open_nsd(layout)
    for subject, sessions in SESSIONS.items():
        reader = NsdReader(open_nsd(layout, sessions=sessions))  # no betas are there yet
        features = make_features(np.unique(reader.trials(subject)["stimulus"]))
        plan = subject_plan()
        write_subject(layout, subject, make_anatomy(), features, plan, sessions, SEED)
    return Study(dataset, NsdReader(dataset))
