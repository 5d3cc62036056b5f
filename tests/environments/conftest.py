"""A conda of venv and pip, and a checkout that is run by a bare controller."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from checkout import REPOSITORY, Checkout, Done

ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'


@dataclass(frozen=True)
class Deployed:
    """A checkout whose rules run in environments of their own.

    Attributes
    ----------
    checkout : Checkout
        Where it is.
    conda : pathlib.Path
        Folder of the command `conda`, and of the environments that are no rule's.
    """

    checkout: Checkout
    conda: Path

    def create(self, room: str) -> Path:
        """Make the environment of a room, as Snakemake would; return its folder."""
        folder = self.conda / "envs" / room
        if not folder.exists():
            command = ["conda", "env", "create", "--quiet", "--no-default-packages"]
            command += ["--file", f"envs/{room}.yaml", "--prefix", str(folder)]
            subprocess.run(command, cwd=self.checkout.root, env=self.environment, check=True)
        return folder

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables, with conda on the path and nothing of this Python's."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        path = f"{self.conda / 'bin'}:{os.environ['PATH']}"
        # Python compiles what it imports; all else would be compiled in vain.
        return kept | {"PATH": path, "PIP_NO_COMPILE": "1", "OMP_NUM_THREADS": "1"}

    def snakemake(self, *arguments: str) -> Done:
        """Run Snakemake from the controller's environment, which has none of the rooms'."""
        done = subprocess.run(
            [
                self.create("controller") / "bin" / "snakemake",
                *(*arguments, "--cores", "2", "--sdm", "conda", "--configfile", "small.yaml"),
            ],
            cwd=self.checkout.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def rooms(self) -> dict[str, Path]:
        """Return room -> folder of the environments that there are."""
        known = {
            (REPOSITORY / f"envs/{path.stem}.yaml").read_text(): path.stem
            for path in (REPOSITORY / "envs").glob("*.yaml")
        }
        made = {
            known[path.read_text()]: path.with_suffix("")
            for path in (self.checkout.root / ".snakemake/conda").glob("*.yaml")
        }
        return made | {path.name: path for path in (self.conda / "envs").iterdir()}


@pytest.fixture(scope="session")
def deployed(tmp_path_factory) -> Iterator[Deployed]:
    """A clean checkout, and no environment yet."""
    conda = tmp_path_factory.mktemp("conda")
    (conda / "bin").mkdir()
    command = [sys.executable, str(Path(__file__).parent / "conda.py"), str(conda)]
    (conda / "bin/conda").write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    (conda / "bin/conda").chmod(0o755)
    (conda / "bin/activate").write_text(ACTIVATE)
    checkout = Checkout.fresh(tmp_path_factory.mktemp("deployed") / "checkout")
    found = Deployed(checkout, conda)
    yield found
    rooms = {str(folder): room for room, folder in found.rooms().items()}
    for line in (conda / "times.tsv").read_text().splitlines():
        folder, wall, cpu = line.split("\t")
        print(f"\nenvironment {rooms[folder]}: {wall} s, {cpu} s of CPU time", end="")
    # Gigabytes, which pytest would keep for three runs.
    for folder in (conda, checkout.root):
        shutil.rmtree(folder)
