"""What a GPU can run, and what PyTorch's errors mean."""

from __future__ import annotations

import numpy as np
import pytest

from brainstruct.store.cuda import gpus_of, holds_code, lack_of_code, trouble_of_gpu

WHEELS = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"]


@pytest.mark.parametrize(
    ("capability", "codes", "held"),
    [
        ((7, 0), WHEELS, False),
        ((6, 1), WHEELS, False),
        ((7, 5), WHEELS, True),
        ((8, 9), WHEELS, True),
        ((12, 1), WHEELS, True),
        ((13, 0), WHEELS, True),  # translated when it is run
        ((10, 3), ["sm_90", "sm_100"], True),
        ((11, 0), ["sm_90", "sm_100"], False),
        ((8, 0), ["sm_86"], False),
        ((9, 0), ["sm_90a"], True),
        ((9, 1), ["sm_90a", "compute_90a"], False),
        ((10, 3), ["sm_100f"], True),
        ((7, 0), ["compute_60"], True),
        ((9, 0), ["gfx90a", "gfx1100"], True),
        ((7, 0), [], True),
    ],
)
def test_code_for_a_gpu(capability, codes, held):
    assert holds_code(capability, codes) == held
    assert (lack_of_code("a GPU", capability, codes) is None) == held


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("CUDA error: no kernel image is available for execution on the device", "no code for"),
        ("nvrtc: error: invalid value for --gpu-architecture (-arch)", "no code for"),
        ("The NVIDIA driver on your system is too old (found version 11040)", "Update the driver"),
        (
            "Unexpected error from cudaGetDeviceCount(). Error 803: system has unsupported "
            "display driver / cuda driver combination",
            "Update the driver",
        ),
        ("Found no NVIDIA driver on your system", "resources: gpu"),
        ("No CUDA GPUs are available", "resources: gpu"),
        ("PyTorch with CUDA is not available.", "encoding.gpus: 0"),
        ("CUDA error: all CUDA-capable devices are busy or unavailable", "another process"),
        ("CUDA error: uncorrectable ECC error encountered", "leave this node out"),
        ("CUDA error: an illegal memory access was encountered", "leave this node out"),
        ("CUDA error: device-side assert triggered", "CUDA_LAUNCH_BLOCKING=1"),
        ("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate`", "batch_size"),
        ("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", "library of CUDA"),
        (
            "linalg.eigh: (Batch element 0): The algorithm failed to converge because the input "
            "matrix is ill-conditioned or has too many repeated eigenvalues (error code: 3).",
            "did not converge",
        ),
    ],
)
def test_errors_have_cures(error, words):
    for kind in (RuntimeError, AssertionError):
        assert words in ": ".join(trouble_of_gpu(kind(error)) or ())


def test_other_errors_are_not_of_the_gpu():
    assert trouble_of_gpu(RuntimeError("mat1 and mat2 shapes cannot be multiplied")) is None
    assert trouble_of_gpu(ZeroDivisionError("CUDA error: unknown error")) is None
    assert trouble_of_gpu(np.linalg.LinAlgError("SVD did not converge")) is not None


def test_advice_for_programmers_is_left_out():
    said = (
        "CUDA error: unspecified launch failure CUDA kernel errors might be asynchronously "
        "reported at some other API call. For debugging consider passing CUDA_LAUNCH_BLOCKING=1"
    )
    fault, _ = trouble_of_gpu(RuntimeError(said))
    assert fault == "the GPU failed amid the work (CUDA error: unspecified launch failure)"


@pytest.mark.parametrize(
    ("resources", "gpus"),
    [
        ({}, 0),
        ({"gpu": 2}, 2),
        ({"gpu": "1"}, 1),
        ({"gpu": 0, "gres": "gpu:1"}, 1),
        ({"gpu": 0, "gres": "gpu:a100:2"}, 2),
        ({"gres": "gpu"}, 1),
        ({"gres": "gpu:3g.40gb:1"}, 1),
        ({"gres": "lscratch:100,gpu:2"}, 2),
        ({"gres": "mygpu:3"}, 0),
        ({"gres": "lscratch:100"}, 0),
    ],
)
def test_gpus_are_counted_by_either_name(resources, gpus):
    assert gpus_of(resources) == gpus
