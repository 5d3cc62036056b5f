"""A check of what is fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def require_finite(**arrays: NDArray[Any]) -> None:
    """Check that arrays hold numbers only.

    Parameters
    ----------
    **arrays : array
        Name, ``_`` for a space -> values.

    Raises
    ------
    ValueError
        If a value is NaN or infinite; it names the array and says how many are.
    """
    for name, values in arrays.items():
        finite = np.isfinite(values)
        if not finite.all():
            count = finite.size - np.count_nonzero(finite)
            raise ValueError(f"{name.replace('_', ' ')} hold {count} non-finite values")
