"""What the plan takes for granted until measurements replace it."""

from __future__ import annotations

from brainstruct.config.base import Block


class Assumptions(Block):
    """Rates and sizes behind an estimate; docs/plan.md says where each comes from."""

    gpu_tflops: float = 120.0  # that a large model reaches in half precision
    gpu_gb_per_s: float = 1200.0  # reading of weights while a GPU decodes
    cpu_gflops_per_thread: float = 30.0  # in single precision
    disk_mb_per_s: float = 200.0  # reading and writing of arrays
    weights_mb_per_s: float = 1000.0  # reading of weights, and moving to the device
    prompt_tokens: int = 30  # of an instruction and its template
    startup_s: float = 1.0
    torch_startup_s: float = 6.0  # of a job that imports torch
    voxels: int = 15_000  # of a mask whose size is not published
    voxel_bytes: int = 36  # beside a voxel's values: index, position, ncsnr
    file_bytes: int = 16_000  # labels and provenance of an array
    figure_bytes: int = 400_000
    pycortex_bytes: int = 77_000_000  # surfaces of a subject in the study's store
