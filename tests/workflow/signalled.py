"""Runs of Snakemake that are told to end by a signal, at a known place."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).parent
LIBRARY = HERE.parents[1] / "workflow_scripts"


@dataclass
class Run:
    """A run of the workflow in ``signalled.smk``, in a session of its own."""

    folder: Path
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    @classmethod
    def begin(cls, folder: Path, place: str, taken: bool = True) -> Run:
        """Start Snakemake; it will stay at a place."""
        folder.mkdir()
        shutil.copy(HERE / "signalled.smk", folder / "Snakefile")
        environment = os.environ | {
            "PYTHONPATH": str(LIBRARY),
            "PLACE": place,
            "WITH_SIGNALS": str(int(taken)),
        }
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command(), "--latency-wait", "120"],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return cls(folder, process, environment)

    @property
    def text(self) -> str:
        """Everything it has printed."""
        return (self.folder / "log").read_text()

    def wait_until_there(self, place: str) -> None:
        """Wait until it is where it stays."""
        until = time.monotonic() + 90
        while time.monotonic() < until:
            there = (self.folder / "there").exists()
            if there and (place != "late" or "Waiting at most" in self.text):
                return
            assert self.process.poll() is None, self.text
            time.sleep(0.05)
        raise AssertionError(self.text)

    def tell(self, number: signal.Signals, *, group: bool) -> float:
        """Send a signal; return the seconds until the controller has ended."""
        (self.folder / "again").touch()
        began = time.monotonic()
        (os.killpg if group else os.kill)(self.process.pid, number)
        self.process.wait(timeout=60)
        return time.monotonic() - began

    def orphans(self) -> list[psutil.Process]:
        """Return the processes that it has left, which are ended."""
        left = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self.process.pid and process.status() != "zombie":
                    left.append(process)
            except (psutil.NoSuchProcess, ProcessLookupError):
                continue
        for process in left:
            process.kill()
        return left

    def locks(self) -> list[Path]:
        """Return the locks that it has left."""
        return list((self.folder / ".snakemake/locks").glob("*"))

    def again(self) -> subprocess.CompletedProcess[str]:
        """Run it again."""
        return subprocess.run(
            [*command(), "--rerun-incomplete"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )


def command() -> list[str]:
    """Return the command of a run."""
    return [sys.executable, "-m", "snakemake", "--cores", "1", "--workflow-profile", "none"]
