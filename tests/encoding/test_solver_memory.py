"""The solver's memory against the bound it states, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from rooms import ROOT, SCRIPTS
from solvers import most_bytes

FIT = """
import json, sys
from pathlib import Path
import numpy as np
from himalaya.backend import set_backend
from sklearn.model_selection import KFold
import solvers

def memory(field):
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.split(field + ":")[1].split()[0])

n, p, t, n_alphas, n_folds, smallest, backend = json.loads(sys.argv[1])
backend = set_backend(backend)
rng = np.random.default_rng(0)

def used(n, p, t):
    X = rng.standard_normal((n, p), dtype=np.float32)
    Y = rng.standard_normal((n, t), dtype=np.float32)
    X, Y = backend.asarray(X), backend.asarray(Y)
    alphas = np.logspace(smallest, 6, n_alphas)
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    found = solvers.fit("gram", X, Y, alphas, KFold(n_folds))
    return memory("VmHWM") - before

used(60, 10, 5)  # what libraries load once is not the solver's
print(used(n, p, t))
"""


@pytest.mark.parametrize(
    ("n", "p", "t", "n_alphas", "smallest", "backend"),
    [
        (1200, 500, 2000, 60, 1, "torch"),  # features fewer than samples
        (600, 900, 2000, 20, 1, "numpy"),  # features more than samples: dual
        (500, 399, 1000, 20, -6, "torch"),  # penalties beyond float32
        (1000, 100, 20000, 20, 1, "torch"),  # many voxels
    ],
)
def test_peak_memory_stays_within_the_bound(n, p, t, n_alphas, smallest, backend):
    case = [n, p, t, n_alphas, 5, smallest, backend]
    environment = os.environ | {
        "PYTHONPATH": f"{SCRIPTS}{os.pathsep}{ROOT / 'tests'}",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", FIT, json.dumps(case)]
    found = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    used = int(found.stdout)
    bound = most_bytes(n, p, t, n_alphas, 5, double=smallest < 0)
    assert used <= bound
    assert used >= 0.2 * bound  # a bound that is never neared would say nothing


def test_the_bound_does_not_grow_with_penalties_times_samples_times_targets():
    small, large = (most_bytes(9000, 4096, 15000, n_alphas, 5) for n_alphas in (60, 600))
    assert large - small < 0.1 * 4 * 540 * 9000 * 15000
