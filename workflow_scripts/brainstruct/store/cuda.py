"""GPUs: whether PyTorch holds code for one, and what its errors mean. Without PyTorch itself.

Doctor, jobs and models ask here, so that all say the same of one GPU.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from brainstruct.store.faults import Trouble, chain

Capability: TypeAlias = tuple[int, int]
"""Compute capability: the generation of a GPU, and its place in it."""

_CODE = re.compile(r"(sm|compute)_(\d+)(\d)([af]?)")
"""Of a GPU (``sm``), or to be translated for later ones when it is run (``compute``)."""

_OTHERS = (
    "Install a build of PyTorch with code for it, ask for a newer GPU, leave it out "
    "(CUDA_VISIBLE_DEVICES), or compute without (embedding.device: cpu, encoding.backend: torch)"
)
_DRIVER = "Update the driver, run on another node, or install a build of PyTorch for that driver"
_NODE = "Run again, and leave this node out if it happens there again (its administrators can tell)"
_VISIBLE = (
    "Give the job a GPU (resources: gpu; see CUDA_VISIBLE_DEVICES), or compute without "
    "(embedding.device: cpu, encoding.backend: torch)"
)

_TROUBLES: tuple[tuple[re.Pattern[str], Trouble], ...] = tuple(
    (re.compile(said, re.IGNORECASE), trouble)
    for said, trouble in (
        (
            r"no kernel image is available|invalid value for --gpu-architecture"
            r"|provided PTX was compiled with an unsupported toolchain|cudaErrorNoKernelImage",
            ("the GPU is one that this PyTorch has no code for", _OTHERS),
        ),
        (
            r"driver version is insufficient|driver on your system is too old"
            r"|unsupported display driver|forward compatibility was attempted"
            r"|system not yet initialized|driver.{0,20} mismatch|driver shutting down",
            ("the GPU has a driver that this PyTorch cannot work with", _DRIVER),
        ),
        (
            r"found no NVIDIA driver|no CUDA GPUs are available|no CUDA-capable device"
            r"|PyTorch with CUDA is not available|invalid device ordinal"
            r"|not compiled with CUDA enabled|Unexpected error from cudaGetDeviceCount",
            ("no GPU is to be seen by this job, or by this build of PyTorch", _VISIBLE),
        ),
        (
            r"devices are busy or unavailable|exclusive-thread",
            (
                "the GPU is held by another process alone",
                "Wait for it, or ask for a GPU of the job's own",
            ),
        ),
        (
            r"uncorrectable (ECC|NVLink)|GPU is lost|fallen off the bus|hardware stack error"
            r"|unspecified launch failure|illegal memory access|illegal instruction"
            r"|misaligned address|launch timed out|CUDA error: unknown error",
            ("the GPU failed amid the work", _NODE),
        ),
        (
            r"device-side assert",
            (
                "the GPU met a number out of range, such as a token that the model does not embed",
                "Run on the CPU to see which (embedding.device: cpu), or with "
                "CUDA_LAUNCH_BLOCKING=1; tokenizer and weights must be of one checkpoint",
            ),
        ),
        (
            r"(CUBLAS|CUDNN|CUSOLVER|CUSPARSE|CUFFT|NCCL)_STATUS_NOT_INITIALIZED",
            (
                "the GPU has no room for a library of CUDA",
                "Lower embedding.batch_size or encoding.targets_per_batch, or use a GPU of the "
                "job's own",
            ),
        ),
        (
            r"(CUBLAS|CUDNN|CUSOLVER|CUSPARSE|CUFFT|NCCL)_STATUS_\w+|cuDNN error|cusolver error",
            ("a library of CUDA failed", _NODE),
        ),
        (
            r"(failed to|did not|not) converge",
            (
                "a decomposition did not converge, on the GPU or on the CPU",
                "Look for features that are not finite or far too large (embed again with "
                "embedding.dtype: float32), or set encoding.backend: numpy, encoding.solver: gram",
            ),
        ),
    )
)


def holds_code(capability: Capability, codes: Iterable[str]) -> bool:
    """Whether some of the codes, as ``torch.cuda.get_arch_list`` names them, run on a GPU.

    Code of a GPU runs on later ones of its generation, code to be translated on all later
    ones; an ``a`` behind ties either to its own GPU, an ``f`` to its generation. Names of
    another kind (AMD's) say nothing: then they are believed to suit.

    Examples
    --------
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
        _OTHERS,
    )


def capabilities(codes: Iterable[str]) -> str:
    """Name the capabilities that codes are for.

    Examples
    --------
    >>> capabilities(["sm_75", "sm_100", "compute_100"])
    '7.5, 10.0'
    """
    held = {(int(code[2]), int(code[3])) for code in map(_CODE.fullmatch, codes) if code}
    return ", ".join(f"{major}.{minor}" for major, minor in sorted(held))


def trouble_of_gpu(error: BaseException) -> Trouble | None:
    """Return what is wrong with GPU, driver or a decomposition, and the cure; else `None`.

    PyTorch says so in words alone: as RuntimeErrors, or AssertionErrors of a build without
    CUDA.
    """
    for part in chain(error):
        if not isinstance(part, (RuntimeError, AssertionError, ValueError)):
            continue
        text = " ".join(str(part).split())
        for said, (fault, cure) in _TROUBLES:
            if said.search(text):
                return f"{fault} ({_shortened(text)})", cure
    return None


def _shortened(text: str) -> str:
    """Return the first sentences: PyTorch's advice on debugging follows."""
    return text.partition(" CUDA kernel errors might")[0].partition(" Compile with")[0][:200]


_GRES = re.compile(r"(?:^|[,/])gpu(?::(?!\d+(?:,|$))[^:,]+)?(?::(\d+))?(?=,|$)")
"""GPUs among generic resources, as SLURM writes them: ``gpu``, ``gpu:2``, ``gpu:a100:2``."""


def gpus_of(resources: Mapping[str, Any]) -> int:
    """Return how many GPUs a job asks for, as ``gpu`` or in ``gres``."""
    counted = int(resources.get("gpu") or 0)
    asked = _GRES.findall(str(resources.get("gres", "")))
    return counted or sum(int(number or 1) for number in asked)
