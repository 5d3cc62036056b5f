"""Disturb a running study for a while, as life does; then compare it with an undisturbed one.

    python tests/faults/soak.py FOLDER [--minutes 20] [--seed 1] [--configfile FILE] [--cores N]

At random moments one process of the study is killed: Snakemake, a job, or what
a killed Snakemake has left behind. Snakemake is started again as a user would,
unlocked where it says so. A study that ends before the time is over is compared
and begun anew. Exits with 1 if anything is lost, or if a run fails that nobody
disturbed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
sys.path.insert(0, str(Path(__file__).parent / "inject"))

from campaign import clear, compared, differences, leftovers
from checkout import Checkout
from roles import role_of
from undisturbed import HOURS, arguments, run_study, say

MARK = "BRAINSTRUCT_SOAK"
"""Environment variable by which a process of the study is known, orphans included."""

SECONDS_BETWEEN = 12.0
"""Between two kills, on average (exponentially distributed: most follow soon)."""

SNAKEMAKE_SHARE = 0.3
"""Of the kills, those of Snakemake itself, if it runs."""


@dataclass
class Soak:
    """A study that is disturbed, and what was done to it.

    Attributes
    ----------
    root : pathlib.Path
        Checkout of the workflow.
    command : list of str
        Snakemake.
    kills : collections.Counter
        Role ("snakemake" or a script) -> processes that were killed.
    orphans : int
        Kills of jobs whose Snakemake was dead.
    starts, unlocked, failed : int
        Of Snakemake; stale locks it named; runs that ended with an error.
    completed : int
        Studies that came to their end while they were disturbed.
    lost : list of str
        What differs from the undisturbed study, and runs that failed unprovoked.
    """

    root: Path
    command: list[str]
    kills: Counter[str] = field(default_factory=Counter)
    orphans: int = 0
    starts: int = 0
    unlocked: int = 0
    failed: int = 0
    completed: int = 0
    lost: list[str] = field(default_factory=list)

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Start Snakemake; what it prints goes to a file, for pipes would outlive it."""
        self.starts += 1
        environment = os.environ | {
            MARK: str(self.root),
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
        }
        with log.open("wb") as handle:
            return subprocess.Popen(
                self.command, cwd=self.root, env=environment, stdout=handle, stderr=handle
            )

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Role -> running processes of the study, orphans included."""
        found: dict[str, list[psutil.Process]] = {}
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) != str(self.root):
                    continue
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                role = role_of(process.cmdline())
            except psutil.Error:  # it has just ended
                continue
            if role is not None:
                found.setdefault(role, []).append(process)
        return found

    def kill_one(self, rng: np.random.Generator, running: bool) -> bool:
        """Kill one process of the study; return whether there was one."""
        found = self.processes()
        jobs = sorted(role for role in found if role != "snakemake")
        if "snakemake" in found and (not jobs or rng.random() < SNAKEMAKE_SHARE):
            role = "snakemake"
        elif jobs:
            role = str(rng.choice(jobs))
        else:
            return False
        try:
            found[role][0].kill()
        except psutil.NoSuchProcess:
            return False
        self.kills[role] += 1
        self.orphans += role != "snakemake" and not running
        return True

    def after(self, status: int, disturbed: bool, text: str) -> None:
        """Do as a user does when Snakemake has ended."""
        if status == 0:
            return
        if "--unlock" in text:
            self.unlocked += 1
            subprocess.run(
                [*self.command, "--unlock"], cwd=self.root, capture_output=True, check=True
            )
        elif not disturbed:
            self.failed += 1
            self.lost.append(f"a run failed that nobody disturbed: {text[-3000:]}")

    def wait_for_orphans(self) -> None:
        """Wait until no process of the study is left."""
        while self.processes():
            time.sleep(0.5)


def disturb(soak: Soak, undisturbed: Path, seconds: float, seed: int) -> None:
    """Run and kill until the time is over; then run to the end."""
    rng = np.random.default_rng(seed)
    over = time.monotonic() + seconds
    log = soak.root.parent / "soak-snakemake.log"
    while time.monotonic() < over:
        snakemake = soak.start(log)
        disturbed = False
        while snakemake.poll() is None and time.monotonic() < over:
            try:
                snakemake.wait(min(rng.exponential(SECONDS_BETWEEN), over - time.monotonic()))
            except subprocess.TimeoutExpired:
                disturbed |= soak.kill_one(rng, running=True)
        if snakemake.poll() is None:
            snakemake.terminate()  # as Ctrl-C does: running jobs are waited for
            disturbed = True
            snakemake.wait()
        elif rng.random() < 0.5:
            soak.kill_one(rng, running=False)
        soak.after(snakemake.returncode, disturbed, log.read_text(errors="replace"))
        if snakemake.returncode == 0:
            soak.completed += 1
            compare(soak, undisturbed)
            clear(soak.root)
        say(describe(soak))


def finish(soak: Soak, undisturbed: Path) -> None:
    """Run undisturbed to the end, and compare."""
    log = soak.root.parent / "soak-snakemake.log"
    for _ in range(3):  # a stale lock, and one for good measure
        snakemake = soak.start(log)
        if snakemake.wait(HOURS * 3600) == 0:
            break
        soak.after(snakemake.returncode, False, log.read_text(errors="replace"))
    else:
        soak.lost.append("the study did not come to its end")
    compare(soak, undisturbed)


def compare(soak: Soak, undisturbed: Path) -> None:
    """Note what is lost."""
    soak.wait_for_orphans()
    soak.lost += [f"differs: {name}" for name in differences(undisturbed, soak.root)]
    soak.lost += [f"left half written: {name}" for name in leftovers(soak.root)]


def describe(soak: Soak) -> str:
    """Counts in one line."""
    return (
        f"soak: {sum(soak.kills.values())} kills ({soak.kills['snakemake']} of Snakemake, "
        f"{soak.orphans} of orphans), {soak.starts} starts, {soak.unlocked} stale locks, "
        f"{soak.completed} studies completed amid it, {soak.failed} unprovoked failures, "
        f"{len(soak.lost)} losses"
    )


def main() -> int:
    """Disturb, finish, compare, and print the counts."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    folder = given.folder.resolve()
    undisturbed = run_study(folder / "undisturbed", given.configfile, given.cores).root
    shutil.rmtree(folder / "soaked", ignore_errors=True)
    checkout = Checkout.fresh(folder / "soaked")
    words = ["--configfile", given.configfile, "--cores", str(given.cores)]
    soak = Soak(checkout.root, [sys.executable, "-m", "snakemake", *words])
    disturb(soak, undisturbed, 60 * given.minutes, given.seed)
    say("the time is over: to the end, undisturbed")
    finish(soak, undisturbed)
    say(describe(soak))
    for role, count in soak.kills.most_common():
        print(f"  killed {role}: {count}")
    say(f"{compared(soak.root)} files compared with the undisturbed study")
    for line in soak.lost:
        print(f"  LOST {line}")
    return 1 if soak.lost else 0


if __name__ == "__main__":
    sys.exit(main())
