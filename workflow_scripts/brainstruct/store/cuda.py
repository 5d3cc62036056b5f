"""GPUs: whether PyTorch holds code for one, and what its errors mean. Without PyTorch itself.

Doctor, jobs and models ask here, so that all say the same of one GPU.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from brainstruct.store.faults import Trouble, chain
from brainstruct.store.resources import table_beside

Capability: TypeAlias = tuple[int, int]
"""Compute capability: the generation of a GPU, and its place in it."""

_CODE = re.compile(r"(sm|compute)_(\d+)(\d)([af]?)")
"""Of a GPU (``sm``), or to be translated for later ones when it is run (``compute``)."""

_TROUBLES: dict[str, dict[str, Any]] = table_beside(__file__, "cuda.toml")
"""Kind -> how errors of it are worded, what is wrong, and the cure."""


def holds_code(capability: Capability, codes: Iterable[str]) -> bool:
    """Whether some of the codes, as ``torch.cuda.get_arch_list`` names them, run on a GPU.

    Code of a GPU runs on later ones of its generation, code to be translated on all later
    ones; an ``a`` behind ties either to its own GPU, an ``f`` to its generation. Names of
    another kind (AMD's) say nothing: then they are believed to suit.

    >>> holds_code((7, 0), ["sm_75", "sm_80"]), holds_code((8, 9), ["sm_75", "sm_80"])
    (False, True)
    """
    known = [match for match in map(_CODE.fullmatch, codes) if match]
    for code in known:
        kind, major, minor, bound = code[1], int(code[2]), int(code[3]), code[4]
        same = capability[0] == major and capability[1] >= minor
        later = kind == "compute" and not bound and capability >= (major, minor)
        if capability == (major, minor) or (bound != "a" and same) or later:
            return True
    return not known


def lack_of_code(name: str, capability: Capability, codes: Iterable[str]) -> Trouble | None:
    """Say that PyTorch holds no code for a GPU of that name, and the cure; `None` if it does."""
    listed = list(codes)
    if holds_code(capability, listed):
        return None
    return (
        f"{name} has compute capability {capability[0]}.{capability[1]}, and this PyTorch holds "
        f"code for {capabilities(listed)}",
        _TROUBLES["code"]["cure"],
    )


def capabilities(codes: Iterable[str]) -> str:
    """Name the capabilities that codes are for.

    >>> capabilities(["sm_75", "sm_100", "compute_100"])
    '7.5, 10.0'
    """
    held = {(int(code[2]), int(code[3])) for code in map(_CODE.fullmatch, codes) if code}
    return ", ".join(f"{major}.{minor}" for major, minor in sorted(held))


def trouble_of_gpu(error: BaseException) -> Trouble | None:
    """Return what is wrong with GPU, driver or a decomposition, and the cure; else `None`.

    PyTorch says so in words alone: as RuntimeErrors, or AssertionErrors of a build without CUDA.
    """
    for part in chain(error):
        if not isinstance(part, (RuntimeError, AssertionError, ValueError)):
            continue
        text = " ".join(str(part).split())
        for trouble in _TROUBLES.values():
            if re.search("|".join(trouble["said"]), text, re.IGNORECASE):
                # PyTorch's advice on debugging follows.
                first = re.split(" CUDA kernel errors might| Compile with", text)[0][:200]
                return f"{trouble['fault']} ({first})", trouble["cure"]
    return None


_GRES = re.compile(r"(?:^|[,/])gpu(?::(?!\d+(?:,|$))[^:,]+)?(?::(\d+))?(?=,|$)")
"""GPUs among generic resources, as SLURM writes them: ``gpu``, ``gpu:2``, ``gpu:a100:2``."""


def gpus_of(resources: Mapping[str, Any]) -> int:
    """Return how many GPUs a job asks for, as ``gpu`` or in ``gres``."""
    counted = int(resources.get("gpu") or 0)
    asked = _GRES.findall(str(resources.get("gres", "")))
    return counted or sum(int(number or 1) for number in asked)
