"""Decompositions that do not converge are done again, another way."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch

from brainstruct.encoding import eigen
from brainstruct.encoding.eigen import eigh, eigh_of_array

REFUSALS = [
    torch.linalg.LinAlgError("linalg.eigh: The algorithm failed to converge (error code: 3)."),
    RuntimeError("failed on backend torch\nOriginal error:\n_LinAlgError: failed to converge"),
    RuntimeError("cusolver error: CUSOLVER_STATUS_EXECUTION_FAILED, when calling `cusolverDn`"),
    np.linalg.LinAlgError("Eigenvalues did not converge"),
]


@pytest.fixture
def matrix():
    rows = np.random.default_rng(0).normal(size=(9, 6))
    return rows.T @ rows


def refusing(error):
    def decompose(matrix):
        raise error

    return decompose


@pytest.mark.parametrize("error", REFUSALS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_does_not_converge_is_done_again(matrix, error, dtype, caplog):
    lower = torch.as_tensor(np.tril(matrix)).to(getattr(torch, dtype))  # all that is promised
    values, vectors = eigh(lower, refusing(error))
    assert values.dtype == vectors.dtype == lower.dtype
    assert "did not converge" in caplog.text
    expected, _ = np.linalg.eigh(matrix)
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-4)
    np.testing.assert_allclose((vectors * values) @ vectors.T, matrix, atol=1e-4)


def test_other_errors_pass(matrix):
    with pytest.raises(RuntimeError, match="no kernel image"):
        eigh(matrix, refusing(RuntimeError("no kernel image")))


def test_nothing_helps_where_numbers_are_not_finite(matrix):
    matrix[3, 1] = np.nan
    with pytest.raises(np.linalg.LinAlgError, match="did not converge"):
        eigh(matrix, refusing(REFUSALS[-1]))


@pytest.mark.parametrize("options", [{"driver": "evd"}, {"subset_by_index": [3, 5]}])
def test_scipy_s_own_are_too(matrix, options, monkeypatch):
    expected = eigh_of_array(matrix, **options)
    known = scipy.linalg.eigh

    def failing(array, **given):
        if given.get("driver") != "ev":
            raise np.linalg.LinAlgError("Internal error: did not converge.")
        return known(array, **given)

    monkeypatch.setattr(eigen.scipy.linalg, "eigh", failing)
    values, vectors = eigh_of_array(matrix, **options)
    np.testing.assert_allclose(values, expected[0])
    np.testing.assert_allclose(np.abs(vectors), np.abs(expected[1]), atol=1e-10)
