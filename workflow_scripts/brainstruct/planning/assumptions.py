"""What the plan takes for granted until measurements replace it."""

from __future__ import annotations

from brainstruct.config.base import Block


class Assumptions(Block):
    """Rates and sizes behind an estimate; docs/plan.md says where each comes from.

    Attributes
    ----------
    gpu_tflops : float
        Half-precision arithmetic that a GPU reaches in a large model, 10^12 per second.
    gpu_gb_per_s : float
        Bandwidth at which a GPU reads weights while it decodes.
    cpu_gflops_per_thread : float
        Single-precision arithmetic that one thread reaches, 10^9 per second.
    disk_mb_per_s : float
        Rate at which a job reads and writes arrays.
    weights_mb_per_s : float
        Rate at which weights are read and moved to the device.
    prompt_tokens : int
        Tokens of an instruction and its template.
    startup_s : float
        Start of a job of any kind.
    torch_startup_s : float
        The same, of a job that imports torch.
    voxels : int
        Voxels of a mask whose size is not published.
    voxel_bytes : int
        What an array over voxels holds besides its values: index, position, ncsnr.
    file_bytes : int
        Labels and provenance of an array on disk.
    figure_bytes : int
        One file of a figure.
    pycortex_bytes : int
        Surfaces of one subject in the study's pycortex store.
    """

    gpu_tflops: float = 120.0
    gpu_gb_per_s: float = 1200.0
    cpu_gflops_per_thread: float = 30.0
    disk_mb_per_s: float = 200.0
    weights_mb_per_s: float = 1000.0
    prompt_tokens: int = 30
    startup_s: float = 1.0
    torch_startup_s: float = 6.0
    voxels: int = 15_000
    voxel_bytes: int = 36
    file_bytes: int = 16_000
    figure_bytes: int = 400_000
    pycortex_bytes: int = 77_000_000
