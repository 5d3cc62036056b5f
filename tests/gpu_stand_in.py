"""A GPU that is none: tensors that say they are on one, and refuse to meet those that are not.

What is computed is computed on the CPU; what a GPU would refuse is refused: an operation on tensors
of both, a view as a numpy array. It stands in for himalaya's backend ``torch_cuda``.
"""

from __future__ import annotations

import sys
from types import ModuleType

import torch
from himalaya.backend import torch as on_cpu
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

COPIES = {"copy_", "_to_copy"}

DEVICE = "meta"
"""Of all devices the one that a PyTorch without GPUs lets be indexed; no code asks for its name."""


def plain(given: object) -> object:
    """Return what computes."""
    return tree_map(lambda one: one.inner if isinstance(one, OnGpu) else one, given)


class OnGpu(torch.Tensor):
    """A tensor of main memory that says it is a GPU's."""

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> OnGpu:
        made = torch.Tensor._make_wrapper_subclass(
            cls, inner.shape, strides=inner.stride(), dtype=inner.dtype, device=DEVICE
        )
        made.inner = inner
        return made

    def cpu(self) -> torch.Tensor:
        """Copy to main memory."""
        return self.inner.clone()

    def numpy(self) -> None:
        """Refuse, as a GPU's tensors do."""
        raise TypeError("a tensor on a GPU is no numpy array")

    __array__ = numpy

    def __int__(self) -> int:
        return int(self.inner)

    def __float__(self) -> float:
        return float(self.inner)

    # Positions may lie in main memory, and what is assigned is copied from there.
    def __getitem__(self, index: object) -> OnGpu:
        return OnGpu(self.inner[plain(index)])

    def __setitem__(self, index: object, value: object) -> None:
        self.inner[plain(index)] = plain(value)

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        name = operation.overloadpacket.__name__
        kwargs = dict(kwargs or {})
        given = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, torch.Tensor)]
        strangers = [one for one in given if not isinstance(one, cls) and one.ndim]
        if strangers and name not in COPIES:
            raise RuntimeError(f"{name}: tensors on a GPU and of main memory")
        stays = "device" not in kwargs or torch.device(kwargs.pop("device")).type == DEVICE
        found = operation(*plain(args), **plain(kwargs))
        known = {id(one.inner): one for one in given if isinstance(one, cls)}
        if name == "copy_" and not isinstance(args[0], cls):
            return args[0]

        def wrapped(one: object) -> object:
            if not isinstance(one, torch.Tensor):
                return one
            return known[id(one)] if id(one) in known else cls(one)

        return tree_map(wrapped, found) if stays else found


def asarray(x, dtype=None, device=DEVICE):
    """Return an array as a tensor there, or where it is said."""
    device = getattr(x, "device", device) if device is None else device
    there = torch.device(device).type == DEVICE
    if isinstance(x, OnGpu):
        found = on_cpu.asarray(x.inner, dtype=dtype)
        if there:
            return x if found is x.inner else OnGpu(found)
        return found.clone()
    found = on_cpu.asarray(x, dtype=dtype)
    return OnGpu(found.clone()) if there else found


def zeros_like(array, shape=None, dtype=None, device=None):
    """Return zeros where the array is, or where it is said."""
    inner = array.inner if isinstance(array, OnGpu) else array
    found = on_cpu.zeros_like(inner, shape=shape, dtype=dtype, device="cpu")
    return OnGpu(found) if torch.device(device or array.device).type == DEVICE else found


def zeros(shape, dtype="float32", device=DEVICE):
    """Return zeros there."""
    found = on_cpu.zeros(shape, dtype=dtype)
    return OnGpu(found) if torch.device(device).type == DEVICE else found


def stand_in(monkeypatch) -> None:
    """Put it in the place of himalaya's backend."""
    module = ModuleType("himalaya.backend.torch_cuda")
    vars(module).update({key: one for key, one in vars(on_cpu).items() if key[:2] != "__"})
    vars(module).update(name="torch_cuda", asarray=asarray, zeros_like=zeros_like, zeros=zeros)
    monkeypatch.setitem(sys.modules, module.__name__, module)


class Moves(TorchFunctionMode):
    """Within this, ``tensor.to(torch.device(DEVICE))`` moves there."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        moves = function is torch.Tensor.to and torch.device(DEVICE) in args
        return OnGpu(args[0].clone()) if moves else function(*args, **(kwargs or {}))
