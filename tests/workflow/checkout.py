"""A clean checkout in a temporary folder, and what Snakemake says of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

SMALL = ("--configfile", "small.yaml")
"""Arguments of Snakemake for the smallest study."""

SUPPLIES = (
    "stimuli",
    "resources/small/nsd/brainstruct_truth/subj01.nc",
    *(
        f"results/small/checkpoints/{key}.json"
        for key in ("instructblip", "mplug-owl", "idefics", "clip")
    ),
    "results/small/pycortex/webgl/S1",
)
"""Targets of the smallest study that make what it reads: data, checkpoints and surfaces."""

ONE_THREAD_OFFLINE = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
"""Environment of everything that tests run."""

PARTS = ("Snakefile", "rules", "config", "workflow_scripts", "profiles", "envs", "report")


@dataclass(frozen=True)
class Done:
    """What a run of Snakemake left: status, everything it printed."""

    status: int
    text: str

    @property
    def jobs(self) -> dict[str, int]:
        """Rule -> number of jobs, from the table a dry run prints; empty if none are needed."""
        table = re.search(r"^job +count\n-+ +-+\n(.*?)^total", self.text, re.M | re.S)
        if table is None:
            assert "Nothing to be done" in self.text, self.text[-3000:]
            return {}
        rows = (line.split() for line in table[1].splitlines())
        return {rule: int(count) for rule, count in rows}

    def outputs(self, rule: str) -> list[str]:
        """Return the files that jobs of a rule would write, from a dry run."""
        found = re.findall(rf"^(?:local)?rule {rule}:\n(?:.*\n)*?    output: (.*)", self.text, re.M)
        return sorted(name for line in found for name in line.split(", "))


@dataclass(frozen=True)
class Checkout:
    """A copy of the workflow, in which Snakemake can be run.

    Attributes
    ----------
    root : pathlib.Path
        The copy.
    """

    root: Path

    @classmethod
    def fresh(cls, root: Path) -> Checkout:
        """Copy what a clone holds."""
        root.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            source = REPOSITORY / part
            if source.is_dir():
                shutil.copytree(
                    source, root / part, ignore=shutil.ignore_patterns("__pycache__", "local*")
                )
            else:
                shutil.copy(source, root / part)
        (root / "small.yaml").write_bytes((Path(__file__).parent / "small.yaml").read_bytes())
        return cls(root)

    def snakemake(self, *arguments: str, timeout: float = 900) -> Done:
        """Run Snakemake and wait for it."""
        command = (sys.executable, "-m", "snakemake", "--cores", "2", *arguments)
        return self.command(*command, timeout=timeout)

    def command(self, *command: str, timeout: float = 900, **environment: str) -> Done:
        """Run a command in the checkout and wait for it."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=os.environ | ONE_THREAD_OFFLINE | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def run(self, *arguments: str, timeout: float = 900) -> Done:
        """Run Snakemake; it must succeed."""
        done = self.snakemake(*arguments, timeout=timeout)
        assert done.status == 0, done.text[-6000:]
        return done

    def copy(self, root: Path) -> Checkout:
        """Copy everything, results and Snakemake's memory of them included."""
        shutil.copytree(self.root, root, symlinks=True)
        return Checkout(root)
