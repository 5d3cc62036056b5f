"""The few array operations that himalaya's backends do not name alike."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
from himalaya.backend import get_backend
from numpy.typing import NDArray
from scipy.linalg import get_lapack_funcs

Array = Any
"""An array of himalaya's current backend: numpy.ndarray or torch.Tensor."""


def cast(array: Array, dtype: str, like: Array) -> Array:
    """Return an array of any backend as ``float32`` or ``float64``, on the device of `like`."""
    return get_backend().asarray(array, dtype=dtype, device=getattr(like, "device", None))


def precision(array: Array) -> str:
    """Name the floating-point type of an array of any backend."""
    return "float64" if str(array.dtype).endswith("float64") else "float32"


def packed(factor: Array) -> Array:
    """Return a factor of products as `times` and `product` take it without copying it each time."""
    if isinstance(factor, np.ndarray) or factor.is_mkldnn or factor.device.type != "cpu":
        return factor
    known = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return factor.to_mkldnn() if known and precision(factor) == "float32" else factor


def times(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Return ``left @ right.T``, of tensors (m, k) and (n, k); either may be `packed`.

    Of the two libraries that PyTorch has for it on a CPU, oneDNN goes by what the processor can
    do, MKL by who made it: on AMD's it leaves half of the speed in single precision.
    """
    return torch.nn.functional.linear(packed(left), packed(right)).to_dense()


def product(left: Array, right: Array, out: Array) -> None:
    """Write ``left @ right.T``, of arrays (m, k) and (n, k), into `out`; `right` may be `packed`.

    By oneDNN where it can, see `times`; else without memory for the product besides `out`.
    """
    right = packed(right)
    if getattr(right, "is_mkldnn", False):
        out.copy_(times(left, right))
    else:
        get_backend().matmul(left, right.T, out=out)


class Scratch:
    """Memory that is taken again and again: fresh pages cost as much time as the work in them."""

    def __init__(self) -> None:
        self._buffers: dict[tuple[str, str], Array] = {}

    def take(self, name: str, shape: tuple[int, ...], like: Array) -> Array:
        """Return an array without defined values; it lasts until `name` is next taken."""
        size = math.prod(shape)
        key = name, precision(like)
        if key not in self._buffers or len(self._buffers[key]) < size:
            self._buffers.pop(key, None)
            self._buffers[key] = get_backend().zeros_like(like, shape=(size,))
        return self._buffers[key][:size].reshape(shape)

    def release(self) -> None:
        """Give all memory back."""
        self._buffers.clear()


@contextmanager
def beside() -> Iterator[None]:
    """Let a GPU do what follows beside what other threads ask of it, and wait for its end.

    Memory that is taken here may be freed once they have waited for theirs (`wait_for_gpu`).
    """
    if get_backend().name == "torch_cuda" and torch.cuda.is_available():
        with torch.cuda.stream(_second_stream()):
            yield
            wait_for_gpu()
    else:
        yield


def wait_for_gpu() -> None:
    """Wait for all that this thread has asked of a GPU."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.current_stream().synchronize()


@cache  # memory that one stream has freed is no other's
def _second_stream() -> torch.cuda.Stream:
    # Before the large products of the other one go the many small steps of a decomposition.
    return torch.cuda.Stream(priority=-1)  # type: ignore[no-untyped-call]


def on_cpu(array: Array) -> NDArray[np.floating] | None:
    """Return an array as numpy sees it, in the same memory; `None` if it is a GPU's.

    numpy's and scipy's LAPACK decompose in two thirds of the time of PyTorch's, and with several
    threads invert in a third.
    """
    on_gpu = isinstance(array, torch.Tensor) and array.device.type != "cpu"
    return None if on_gpu else np.asarray(array)


def inverse_in_place(matrix: Array) -> bool:
    """Replace a symmetric positive definite matrix by its inverse.

    Returns False if it is not positive definite in its precision; its values are then without
    meaning.
    """
    host = on_cpu(matrix)
    if host is None:
        factor, fault = torch.linalg.cholesky_ex(matrix)
        if not int(fault):
            torch.cholesky_inverse(factor, out=matrix)
        return not int(fault)
    factorise, invert = get_lapack_funcs(("potrf", "potri"), (host,))
    factor, fault = factorise(host.T, lower=1, overwrite_a=1, clean=1)
    if fault:
        return False
    lower, fault = invert(factor, lower=1, overwrite_c=1)
    if fault:
        return False
    host[...] = lower + np.tril(lower, -1).T
    return True
