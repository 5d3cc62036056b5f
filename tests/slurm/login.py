"""The login node of the test cluster: a clone in which users type their commands."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from checkout import ONE_THREAD_OFFLINE, REPOSITORY, Checkout, Done
from cluster import Cluster

SNAKEMAKE = (".venv/bin/snakemake", "--configfile", "config/local.yaml", "--profile", "slurm")
"""What users type, as the README has it."""

ENVIRONMENT = {"USER": "root"}

IMPATIENT = """
from snakemake_executor_plugin_slurm import Executor

Executor.next_seconds_between_status_checks = property(lambda self: 1, lambda self, seconds: None)
"""
"""Looks at jobs each second: the plugin waits ten seconds longer each time that none has ended."""


@dataclass(frozen=True)
class Login:
    """A checkout on the login node of the cluster.

    Attributes
    ----------
    checkout : Checkout
        With the user's configuration in config/local.yaml.
    cluster : Cluster
        Where its jobs go.
    """

    checkout: Checkout
    cluster: Cluster

    @property
    def root(self) -> Path:
        return self.checkout.root

    def command(self, *command: str, timeout: float = 600) -> Done:
        """Run a command in the checkout and wait for it."""
        return self.checkout.command(*command, timeout=timeout, **ENVIRONMENT)

    def run(self, *arguments: str) -> Done:
        """Run Snakemake on the cluster; it must succeed and leave nothing in the queue."""
        done = self.command(*SNAKEMAKE, *arguments)
        assert done.status == 0, done.text[-6000:]
        assert self.cluster.queue() == []
        return done

    def run_refused(self, *arguments: str) -> str:
        """Run Snakemake on the cluster; it must refuse. Return what it says."""
        done = self.command(*SNAKEMAKE, *arguments)
        assert done.status == 1, done.text[-6000:]
        return done.text

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Start Snakemake on the cluster; kill it at the end if it still runs."""
        process = subprocess.Popen(
            [*SNAKEMAKE, *arguments],
            cwd=self.root,
            env=os.environ | ONE_THREAD_OFFLINE | ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def configure(self, **changes: dict[str, object]) -> None:
        """Change settings of config/local.yaml, one level deep."""
        path = self.root / "config/local.yaml"
        config = yaml.safe_load(path.read_text())
        for key, change in changes.items():
            config[key] |= change
        path.write_text(yaml.safe_dump(config))

    def copy(self, root: Path) -> Login:
        """Copy the study with its results."""
        return Login(self.checkout.copy(root), self.cluster)


def log_in(root: Path, cluster: Cluster) -> Login:
    """Make a clone on the login node, impatient enough for a test."""
    login = Login(Checkout.fresh(root), cluster)
    shutil.copy(REPOSITORY / "Makefile", root)
    (root / "slurm").symlink_to((REPOSITORY / "slurm").readlink())
    (root / ".venv").symlink_to(sys.prefix)
    for path in root.glob("envs/**/*.txt"):  # the environment is there: make shall find it so
        os.utime(path, (0, 0))
    profile = root / "profiles/slurm/config.yaml"
    text, n_changes = re.subn(
        r"(before-status-checks|latency-wait): \d+", r"\1: 1", profile.read_text()
    )
    assert n_changes == 2
    profile.write_text(text)
    with (root / "Snakefile").open("a") as snakefile:
        snakefile.write(IMPATIENT)
    return login


def readme_blocks(title: str) -> list[str]:
    """Return the shell commands of a section of the README, block by block."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {title}\n(.*?)^## ", text, re.M | re.S)
    assert section is not None
    blocks = re.findall(r"^( *)```sh\n(.*?)^\1```$", section[1], re.M | re.S)
    return ["".join(line.removeprefix(indent) for line in block.splitlines(True))
            for indent, block in blocks]  # fmt: skip
