from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.brain.ceilings import usable_ceiling, usable_ceilings

SPACE = xr.Dataset(
    {
        "ceiling_ncsnr": ("voxel", [0.0, 0.01, 0.2, 0.9, np.nan]),
        "threshold_ncsnr": 0.2,
        "ceiling_cross_subject": ("voxel", [-0.3, 0.5, 0.5, 1.1, np.nan]),
        "threshold_cross_subject": (
            "voxel", [0.1, 0.6, 0.5, 0.2, np.nan], {"long_name": "twice its standard error"}
        ),
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "threshold", "kept", "says"),
    [
        ("ncsnr", 0, [1, 2, 3], 0),
        ("ncsnr", 0.01, [1, 2, 3], 0.01),
        ("ncsnr", 0.5, [3], 0.5),
        ("ncsnr", "auto", [2, 3], 0.2),
        ("cross_subject", 0, [1, 2, 3], 0),
        ("cross_subject", "auto", [2, 3], "twice its standard error"),
    ],
)
def test_what_scores_can_be_divided_by(kind, threshold, kept, says):
    """A ceiling of 0 cannot, whatever the threshold; one at the threshold can."""
    found = usable_ceiling(SPACE, kind, threshold)
    assert np.flatnonzero(found.notnull()).tolist() == kept
    np.testing.assert_array_equal(found[kept], SPACE[f"ceiling_{kind}"][kept])
    assert found.attrs["threshold"] == says
    assert usable_ceilings(SPACE, threshold)[kind].identical(found)


def test_kinds_are_those_that_are_there():
    assert list(usable_ceilings(SPACE, 0.1)) == ["ncsnr", "cross_subject"]
