"""Time and memory of one layer's fit, from features to scores: now, before, and by himalaya.

    pytest -s -o python_files='bench_*.py' tests/benchmarks/bench_fit.py

BENCH_FIT chooses the size, images x features x voxels (default: a subject of the NSD and a model
of 7 billion parameters); BENCH_FIT_TURNS how often codes take turns (default 1), every one in a
process of its own; BENCH_FIT_BEFORE the commit to compare with (default: the last that left all
products to MKL); BENCH_FIT_HIMALAYA=1 adds himalaya's own solver, which takes tens of minutes at
the full size. Threads are OMP_NUM_THREADS, else all cores. Where others load the machine, go by
CPU time.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np

from rooms import ROOT, SCRIPTS

BEFORE = "6175158"
SIZE = "9000x4096x15724"
ALPHAS = np.logspace(0, 6, 25)
GOAL = 1.5


def fit(data: Path, solver: str, answer: Path) -> None:
    """Fit with the code on Python's path, and leave scores and figures in a file."""
    import torch

    from brainstruct.encoding import ridge

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    with np.load(data) as stored:
        arrays = [stored[name] for name in ("X_train", "Y_train", "X_test", "Y_test")]
    wall, cpu = time.perf_counter(), time.process_time()
    options = {"alphas": ALPHAS.tolist(), "backend": "torch", "solver": solver}
    if hasattr(ridge, "start_ridge"):
        targets = ridge.targets_of(*arrays[1::2], backend="torch")
        found = ridge.start_ridge(*arrays[::2], **options)(targets)
    else:  # the script asked for what lies beyond the grid
        from brainstruct.encoding.grid_edge import beyond_the_grid

        found = ridge.fit_ridge(*arrays, **options)
        beyond_the_grid(*arrays, found.alpha, found.at_edge)
    figures = {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    np.savez(answer, figures=json.dumps(figures), r=found.r, alpha=found.alpha, cv=found.cv_score)


def test_a_layers_fit_against_what_it_took_before(tmp_path, goals, goal):
    from bench_ridge import Size, study

    n, p, voxels = map(int, os.environ.get("BENCH_FIT", SIZE).split("x"))
    commit = os.environ.get("BENCH_FIT_BEFORE", BEFORE)
    packed = subprocess.run(
        ["git", "-C", ROOT, "archive", commit, "workflow_scripts"], check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as tree:
        tree.extractall(tmp_path, filter="data")
    X, Y = study(Size(n, p, voxels, len(ALPHAS), GOAL))
    # Features are stored in half precision.
    X = X.astype(np.float16).astype(np.float32)
    np.savez(tmp_path / "data.npz", X_train=X[:n], Y_train=Y[:n], X_test=X[n:], Y_test=Y[n:])
    del X, Y
    codes = {"now": (SCRIPTS, "gram"), "before": (tmp_path / "workflow_scripts", "gram")}
    if os.environ.get("BENCH_FIT_HIMALAYA") == "1":
        codes["himalaya"] = SCRIPTS, "himalaya"
    threads = os.environ.get("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))
    turns = int(os.environ.get("BENCH_FIT_TURNS", "1"))
    print(
        f"\n{n} images, {p} features, {voxels} voxels, {len(ALPHAS)} penalties; {threads} threads"
    )
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in codes}
    scores = {}
    for turn in range(turns):
        for name in list(codes)[:: 1 if turn % 2 == 0 else -1]:
            folder, solver = codes[name]
            answer = tmp_path / f"{name}.npz"
            environment = os.environ | {
                "OMP_NUM_THREADS": threads,
                "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT / "tests"))),
            }
            command = [sys.executable, __file__, str(tmp_path / "data.npz"), solver, str(answer)]
            subprocess.run(command, check=True, env=environment)
            with np.load(answer) as found:
                scores[name] = {key: found[key] for key in ("r", "alpha", "cv")}
                runs[name].append(json.loads(str(found["figures"])))
            one = runs[name][-1]
            print(
                f"  {name:8s} {one['wall']:7.1f} s, {one['cpu']:7.1f} s CPU, "
                f"{one['peak_mb']:6.0f} MB, load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    middle = {
        name: {key: float(np.median([one[key] for one in found])) for key in ("wall", "cpu")}
        for name, found in runs.items()
    }
    for name in list(codes)[1:]:
        wall, cpu = (middle[name][key] / middle["now"][key] for key in ("wall", "cpu"))
        ours, theirs = scores["now"], scores[name]
        same = np.isclose(ours["alpha"], theirs["alpha"], rtol=1e-4)
        tie = np.abs(ours["cv"] - theirs["cv"]) <= 1e-6 * np.maximum(1, np.abs(theirs["cv"]))
        difference = float(np.abs(ours["r"] - theirs["r"])[same].max())
        print(
            f"  {name} / now: {wall:.2f} (CPU time {cpu:.2f}); same penalty for {same.mean():.5f} "
            f"of voxels, test correlations differ by {difference:.1e}"
        )
        assert (same | tie).mean() >= 0.999
        assert difference <= 1e-4
        if name == "before":
            goals.append(goal(f"fit {n}x{p}x{voxels}: CPU time before / now", cpu, GOAL))


if __name__ == "__main__":
    fit(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
