"""Time and memory of the ridge solver against himalaya's own, side by side.

    pytest -s -o python_files='bench_*.py' tests/benchmarks/bench_ridge.py

BENCH_RIDGE chooses the sizes: ``quick`` (seconds), ``full`` (default: tens of
minutes) or one size by its name, as ``9000x4096x60``. BENCH_REPEATS sets how
often the solvers take turns (default 3; the largest size has one turn). Threads
are OMP_NUM_THREADS, else all cores. The solvers of one size share a process and
alternate in order; every turn gives one ratio, and medians are printed.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pytest

from rooms import ROOT, SCRIPTS

FOLDS = 5
N_TEST = 500
SOLVERS = ("gram", "himalaya")


class Size(NamedTuple):
    n: int
    p: int
    voxels: int
    alphas: int
    goal: float
    turns: int = 3

    @property
    def name(self) -> str:
        return f"{self.n}x{self.p}x{self.alphas}"


SIZES = {
    "quick": [Size(500, 200, 300, 20, 0.0), Size(500, 200, 300, 60, 0.0)],
    "full": [
        Size(3000, 2048, 5000, 20, 4.0),
        Size(3000, 2048, 5000, 60, 7.0),
        Size(9000, 4096, 2000, 60, 10.0, turns=1),
    ],
}


def chosen_sizes() -> list[Size]:
    wanted = os.environ.get("BENCH_RIDGE", "full")
    every = [size for sizes in SIZES.values() for size in sizes]
    return SIZES.get(wanted) or [size for size in every if size.name == wanted]


def study(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Features with a power-law spectrum, half-noise responses of rank 100."""
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((size.n + N_TEST, size.p), dtype=np.float32)
    scores *= np.arange(1, size.p + 1, dtype=np.float32) ** -0.6
    X = scores @ np.linalg.qr(rng.standard_normal((size.p, size.p)))[0].astype(np.float32)
    Y = scores[:, :100] @ rng.standard_normal((100, size.voxels), dtype=np.float32)
    Y = Y / Y.std(0) + 2 * rng.standard_normal(Y.shape, dtype=np.float32)
    return (X - X.mean(0)) / X.std(0), (Y - Y.mean(0)) / Y.std(0)


def gemm_gflops() -> float:
    import torch

    a = torch.randn(2048, 2048)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    return 2 * 2048**3 / min(times) / 1e9


def forget_peak_memory() -> None:
    """Give freed memory back and start the kernel's record of this process's peak anew."""
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def memory_mb(field: str) -> float:
    """Return VmRSS or VmHWM, the peak since the record was started."""
    status = Path("/proc/self/status").read_text()
    return float(status.split(f"{field}:")[1].split()[0]) / 1024


def race(size: Size, turns: int, answer: Path) -> None:
    """Fit with both solvers in turn and leave figures and penalties in a file."""
    import torch
    from himalaya.backend import set_backend
    from sklearn.model_selection import KFold
    from torch.utils.flop_counter import FlopCounterMode

    import solvers
    from brainstruct.encoding.scores import pearson

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    backend = set_backend("torch")
    X, Y = (backend.asarray(array) for array in study(size))
    X, X_test, Y, Y_test = X[: size.n], X[size.n :], Y[: size.n], Y[size.n :].numpy()
    task = X, Y, np.logspace(0, 6, size.alphas), KFold(FOLDS, shuffle=True, random_state=0)
    found: dict[str, Any] = {}
    figures = []
    work = {}
    for turn in range(turns):
        for solver in SOLVERS[:: 1 if turn % 2 else -1]:
            speed = gemm_gflops()
            forget_peak_memory()
            before = memory_mb("VmRSS")
            wall, cpu = time.perf_counter(), time.process_time()
            model = solvers.fit(solver, *task)
            peak = memory_mb("VmHWM")
            prediction = model.predict(X_test)
            one = {
                "wall": time.perf_counter() - wall,
                "cpu": time.process_time() - cpu,
                "peak_mb": peak,
                "before_mb": before,
                "gemm": speed,
            }
            figures.append({"solver": solver, "turn": turn} | one)
            print(
                f"  {solver}: {one['wall']:.1f} s, {one['cpu']:.1f} s CPU, "
                f"load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
            found[f"{solver}_r"] = pearson(Y_test, prediction.numpy())
            found[f"{solver}_alphas"] = model.alphas.numpy()
            found[f"{solver}_cv"] = model.cv_scores.numpy()
            # counting takes time: not in a fit that is timed, nor where a fit takes long
            if turn == 0 and (solver == "gram" or size.turns > 1):
                known = mock.patch("torch.backends.mkldnn.is_available", return_value=False)
                with known, FlopCounterMode(display=False) as counter:  # it counts no others
                    solvers.fit(solver, *task).predict(X_test)
                work[solver] = counter.get_total_flops() / 1e9
            del model
    np.savez(answer, figures=json.dumps({"runs": figures, "gflop": work}), **found)


def run(size: Size, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    answer = folder / "answer.npz"
    turns = min(size.turns, int(os.environ.get("BENCH_REPEATS", "3")))
    threads = os.environ.get("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))
    folders = os.pathsep.join((str(SCRIPTS), str(ROOT / "tests")))
    environment = os.environ | {"OMP_NUM_THREADS": threads, "PYTHONPATH": folders}
    print(
        f"\n{size.n} images, {size.p} features, {size.voxels} voxels, {size.alphas} penalties;"
        f" {threads} threads, {turns} turns",
        flush=True,
    )
    command = [sys.executable, __file__, json.dumps(size), str(turns), str(answer)]
    subprocess.run(command, check=True, env=environment)
    with np.load(answer) as found:
        return json.loads(str(found["figures"])), {key: found[key] for key in found.files}


@pytest.mark.parametrize("size", chosen_sizes(), ids=lambda size: size.name)
def test_ridge_against_himalaya(size, tmp_path, goals, goal):
    from solvers import most_bytes

    figures, found = run(size, tmp_path)
    ratios = {
        key: np.median(
            [
                theirs[key] / ours[key]
                for ours in figures["runs"]
                for theirs in figures["runs"]
                if (ours["solver"], theirs["solver"]) == ("gram", "himalaya")
                and ours["turn"] == theirs["turn"]
            ]
        )
        for key in ("wall", "cpu")
    }
    for solver in SOLVERS:
        runs = [one for one in figures["runs"] if one["solver"] == solver]
        wall, cpu, peak, before, gemm = (
            float(np.median([one[key] for one in runs]))
            for key in ("wall", "cpu", "peak_mb", "before_mb", "gemm")
        )
        gflop = figures["gflop"].get(solver, float("nan"))
        print(
            f"  {solver:8s} {wall:8.1f} s {cpu:8.1f} s CPU {peak:7.0f} MB peak "
            f"({before:.0f} before) {gflop:8.0f} GFLOP of products, {gflop / wall:4.0f} GFLOP/s:"
            f" {100 * gflop / wall / gemm:.0f} % of {gemm:.0f}"
        )
        if solver == "gram":
            bound = most_bytes(size.n, size.p, size.voxels, size.alphas, FOLDS) / 2**20
            print(f"           {peak - before:.0f} MB more than before; {bound:.0f} at most")
            assert peak - before <= bound
    same = np.isclose(found["gram_alphas"], found["himalaya_alphas"], rtol=1e-4)
    tie = np.abs(found["gram_cv"] - found["himalaya_cv"]) <= 1e-6
    difference = np.abs(found["gram_r"] - found["himalaya_r"])[same].max()
    print(
        f"  ratio {ratios['wall']:.1f} (CPU time {ratios['cpu']:.1f}); same penalty for"
        f" {same.mean():.4f} of voxels, test correlations differ by {difference:.1e}"
    )
    assert (same | tie).mean() >= 0.999
    assert difference <= 1e-4
    if size.goal:
        what = f"ridge {size.name}: speed over himalaya"
        goals.append(goal(what, ratios["wall"], size.goal, f"CPU time {ratios['cpu']:.1f}"))


if __name__ == "__main__":
    race(Size(*json.loads(sys.argv[1])), int(sys.argv[2]), Path(sys.argv[3]))
