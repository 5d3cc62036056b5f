"""Kill a study again and again, run it again each time, and compare what is left."""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

INJECT = Path(__file__).parent / "inject"

JOB_STEPS = (
    "start",
    "import",
    "torn",
    "before-fsync",
    "after-fsync",
    "before-rename",
    "after-rename",
)
SNAKEMAKE_STEPS = ("torn", "before-remove", "after-remove", "before-chmod", "after-chmod")

MAY_DIFFER = frozenset({"ledger", "logs", "benchmarks", "work", "pycortex"})
"""Folders that hold times, process numbers, or caches: documented in docs/reliability.md."""

TIMES = "checkpoints/*.stamps*.json"
"""Files that hold the times of checkpoints' files, beside manifests that hold their content."""

STAMP = ".snakemake_timestamp"
"""File of no content that Snakemake puts into folders that are outputs."""


@dataclass
class Campaign:
    """Counts of what was done to a study.

    Attributes
    ----------
    runs : int
        Starts of Snakemake.
    kills : collections.Counter
        Role ("snakemake" or a rule) -> processes that were killed.
    unlocked : int
        Stale locks, each of which Snakemake named with its cure.
    seconds : float
        From the first start to the end.
    """

    runs: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    unlocked: int = 0
    seconds: float = 0.0


def plan(folder: Path, names: list[str]) -> None:
    """Write plans ``RULE.STEP.N``."""
    (folder / "done").mkdir(parents=True)
    for name in names:
        (folder / name).touch()


def draw_plans(rules: list[str], count: int, seed: int) -> list[str]:
    """Draw plans: every step of every rule once, then at random, until there are `count`.

    Parameters
    ----------
    rules : list of str
        Scripts of the study's rules.
    count : int
        How many plans; fewer than there are steps: a random choice of them.
    seed : int
        Of the draw.
    """
    rng = np.random.default_rng(seed)
    of_jobs = [f"{rule}.{step}.1" for rule in rules for step in JOB_STEPS]
    of_snakemake = [f"snakemake.{step}.{n}" for step in SNAKEMAKE_STEPS for n in (1, 7, 23)]
    steps = of_jobs + of_snakemake
    if count < len(steps):
        share = min(count // 4, len(of_snakemake))
        few = rng.choice(of_snakemake, share, replace=False).tolist()
        return sorted(few + rng.choice(of_jobs, count - len(few), replace=False).tolist())
    more = set()
    while len(steps) + len(more) < count:
        rule, step = rng.choice(rules), rng.choice(JOB_STEPS[2:])
        more.add(f"{rule}.{step}.{rng.integers(2, 12)}")
    return sorted({*steps, *more})


def run_campaign(root: Path, arguments: list[str], plans: Path, limit: int) -> Campaign:
    """Start Snakemake until a run ends well and kills nobody.

    Parameters
    ----------
    root : pathlib.Path
        Checkout of the workflow.
    arguments : list of str
        For Snakemake.
    plans : pathlib.Path
        Folder of `plan`.
    limit : int
        Starts after which the study counts as lost.

    Raises
    ------
    AssertionError
        If a run fails that killed nobody, or the study does not end within `limit` starts.
    """
    campaign = Campaign()
    began = time.monotonic()
    environment = os.environ | {
        "PYTHONPATH": str(INJECT),
        "BRAINSTRUCT_FAULTS": str(plans),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--keep-going", *arguments]
    before = 0
    while campaign.runs < limit:
        campaign.runs += 1
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        kills = len(list((plans / "done").iterdir()))
        text = done.stdout + done.stderr
        if done.returncode == 0 and kills == before:
            break
        if "--unlock" in text and done.returncode != 0:
            campaign.unlocked += 1
            subprocess.run([*command, "--unlock"], cwd=root, capture_output=True, check=True)
        else:
            assert kills > before or done.returncode == 0, text[-6000:]
        before = kills
    else:
        raise AssertionError(f"not done after {limit} starts: {text[-6000:]}")
    campaign.kills.update(path.name.split(".")[0] for path in (plans / "done").iterdir())
    campaign.seconds = time.monotonic() - began
    return campaign


def results(root: Path) -> dict[str, Path]:
    """Name -> file, of all on which two runs of a study must agree, byte by byte."""
    return {
        str(path.relative_to(root)): path
        for folder in ("results", "resources")
        for path in (root / folder).rglob("*")
        if path.is_file()
        and path.name != STAMP
        and not path.match(TIMES)
        and not MAY_DIFFER & set(path.relative_to(root).parts)
    }


def differences(one: Path, other: Path) -> list[str]:
    """Return the results that are in one study alone, or differ between two."""
    left, right = results(one), results(other)
    found = sorted(left.keys() ^ right.keys())
    for name in sorted(left.keys() & right.keys()):
        if not filecmp.cmp(left[name], right[name], shallow=False):
            found.append(name)
    return found


def compared(root: Path) -> int:
    """Return how many files of a study `differences` looks at."""
    return len(results(root))


def leftovers(root: Path) -> list[str]:
    """Return half-written files that no run has cleaned up."""
    return [str(path) for path in (root / "results").rglob(".*.part*")]


def clear(root: Path) -> None:
    """Delete what a study has made."""
    for name in ("results", "resources", ".snakemake"):
        shutil.rmtree(root / name, ignore_errors=True)
