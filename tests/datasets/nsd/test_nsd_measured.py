from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from small_study import Study

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.rois import read_mask


@pytest.mark.parametrize(
    ("stored", "valid"),
    [
        (-32_768, False),
        (-32_767, False),
        (-32_766, True),
        (0, True),
        (32_766, True),
        (32_767, False),
    ],
)
def test_numbers_at_the_ends_of_int16_are_not_valid(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: int, valid: bool
) -> None:
    x, y, z = np.argwhere(read_mask(study.layout, "subj03", "nsdgeneral"))[0]
    with h5py.File(study.layout.betas_file("subj03", 1, "hdf5")) as file:
        volumes = file["betas"][()]
    volumes[5, z, y, x] = stored
    with h5py.File(tmp_path / "betas.hdf5", "w") as file:
        file["betas"] = volumes
    monkeypatch.setattr(Layout, "betas_file", lambda *_: tmp_path / "betas.hdf5")
    (trials,) = study.reader.betas("subj03", "nsdgeneral")
    assert trials.unit == 300
    assert trials.betas[5, 0] == stored
    assert trials.valid[5, 0] == valid
