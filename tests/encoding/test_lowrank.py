"""The spectrum is cut where that saves work, and bands give back all functions."""

from __future__ import annotations

import numpy as np
import pytest

from brainstruct.encoding.solver.lowrank import split_spectrum


@pytest.mark.parametrize("decades", [0, 3, 8])
def test_bands_cover_the_spectrum_and_cost_less_than_one(decades):
    eigenvalues = np.logspace(-decades / 2, decades / 2, 600)
    functions = eigenvalues[:, None] / (eigenvalues[:, None] + np.logspace(-4, 4, 30))
    bands = split_spectrum(eigenvalues, functions, 1e-6)
    ends = [0, *(band.components.stop for band in bands)]
    assert [band.components.start for band in bands] == ends[:-1]
    assert ends[-1] == 600
    for band in bands:
        error = functions[band.components] - band.basis @ band.mixing
        assert np.sqrt((error**2).mean(0)).max() < 1e-6
    assert ends[1:] == ([600] if decades == 0 else [150, 300, 450, 600])
    assert max(band.basis.shape[1] for band in bands) == {0: 1, 3: 7, 8: 11}[decades]
