"""Eigendecompositions that come to an end."""

import logging
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

log = logging.getLogger(__name__)

_WITHOUT_END = re.compile(r"(failed to|did not|not) converge|cusolver error|CUSOLVER_STATUS", re.I)
"""How a decomposition says that its iterations led nowhere; of cuSOLVER any error may mean it."""


def eigh(matrix: Any, decompose: Callable[[Any], tuple[Any, Any]]) -> tuple[Any, Any]:
    """Return ascending eigenvalues, and eigenvectors, of a symmetric matrix's lower triangle.

    `decompose` is the usual way to; `matrix` is a numpy array, or a tensor on any device, and so
    are the results. Divide and conquer, which LAPACK, MAGMA and cuSOLVER use, fails on rare
    matrices; what does not converge is done again on the CPU, in float64, by the QR algorithm:
    slower, and another one. A `LinAlgError` or `RuntimeError` if that fails as well, or the matrix
    is not finite: no algorithm helps then.
    """
    try:
        return decompose(matrix)
    except (RuntimeError, np.linalg.LinAlgError) as error:
        if not _WITHOUT_END.search(str(error)):
            raise
        wide = _on_cpu(matrix)
        if not np.isfinite(np.tril(wide)).all():
            raise
        log.warning("a decomposition did not converge; it is done again on the CPU, by QR")
    values, vectors = scipy.linalg.eigh(wide, lower=True, driver="ev", check_finite=False)
    return _like(values, matrix), _like(vectors, matrix)


def eigh_of_array(matrix: NDArray[np.floating], **options: Any) -> tuple[Any, Any]:
    """Return the same of an array, by scipy; `options` are those of its ``eigh``."""
    chosen = options.get("subset_by_index")

    def decompose(array: Any) -> tuple[Any, Any]:
        values, vectors = scipy.linalg.eigh(array, check_finite=False, **options)
        return values, vectors

    values, vectors = eigh(matrix, decompose)
    if chosen is not None and len(values) == len(matrix):  # QR knows no parts
        part = slice(chosen[0], chosen[1] + 1)
        values, vectors = values[part], vectors[:, part]
    return values, vectors


def _on_cpu(matrix: Any) -> NDArray[np.float64]:
    array = matrix if isinstance(matrix, np.ndarray) else matrix.detach().cpu().numpy()
    return np.asarray(array, dtype=np.float64)


def _like(array: NDArray[np.float64], matrix: Any) -> Any:
    """Return an array as what the matrix was: its kind, its precision, its device."""
    if isinstance(matrix, np.ndarray):
        return array.astype(matrix.dtype)
    import torch

    return torch.as_tensor(array).to(device=matrix.device, dtype=matrix.dtype)
