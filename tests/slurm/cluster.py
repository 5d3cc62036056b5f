"""A real SLURM of two nodes on one machine, with accounting and two fake GPUs.

munge, mariadb, slurmdbd, slurmctld and two slurmd run without systemd, as root,
with everything they write under one folder. Needs the packages of packages.py.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

NODES = ("gpu01", "cpu01")
ACCOUNT = "brainlab"
SYSTEM_CONF = Path("/etc/slurm/slurm.conf")
"""Where SLURM looks; jobs are started by a plugin that forgets SLURM_CONF."""

TEMPLATES = Path(__file__).parent / "etc"


class ClusterError(RuntimeError):
    """The cluster did not come up."""


@dataclass(frozen=True)
class Job:
    """A job as the accounting remembers it.

    Attributes
    ----------
    id, partition, state, account : str
        As SLURM names them.
    rule : str
        Rule and wildcards, joined with underscores.
    cpus, mem_mb, gpus, minutes : int
        What it was given; 0 while it waits.
    """

    id: str
    rule: str
    state: str
    partition: str
    account: str
    cpus: int
    mem_mb: int
    gpus: int
    minutes: int


@dataclass
class Cluster:
    """The running cluster.

    Attributes
    ----------
    root : pathlib.Path
        Configuration, state and logs of its daemons.
    """

    root: Path
    _daemons: list[tuple[str, Path]] = field(default_factory=list)

    @classmethod
    def start(cls) -> Cluster:
        """Start every daemon and wait until both nodes are idle."""
        if _alive(_pid_file_of(SYSTEM_CONF)) or (SYSTEM_CONF.exists() and not _is_link()):
            raise ClusterError(f"this machine has a SLURM of its own ({SYSTEM_CONF})")
        # Paths of sockets must be short.
        cluster = cls(Path(tempfile.mkdtemp(prefix="slurm-")))
        try:
            cluster._start()
        except BaseException:
            cluster.stop(keep=True)
            raise
        return cluster

    def stop(self, keep: bool = False) -> None:
        """Cancel all jobs, stop every daemon and delete the folder."""
        if any(name == "slurmctld" for name, _ in self._daemons):
            with contextlib.suppress(subprocess.SubprocessError):
                self.run("scancel", "--user=root")
                wait_for(lambda: not self.queue(), 20, "an empty queue")
        for name, pid_file in reversed(self._daemons):
            _stop(name, pid_file)
        if _is_link() and SYSTEM_CONF.readlink() == self.root / "etc/slurm.conf":
            SYSTEM_CONF.unlink()
        os.environ.pop("SLURM_CONF", None)
        if not keep:
            shutil.rmtree(self.root)

    # What tests ask.

    def run(self, *command: str) -> str:
        """Run one of SLURM's commands; return what it printed."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise ClusterError(f"{' '.join(command)}: {done.stderr or done.stdout}")
        return done.stdout.strip()

    def queue(self, state: str = "all") -> list[str]:
        """Return the ids of jobs that have not ended."""
        states = "PD,R,CG,S" if state == "all" else state
        return self.run("squeue", "--noheader", f"--states={states}", "--format=%i").split()

    def jobs(self, rule: str = "", since: int = 0) -> list[Job]:
        """Return the jobs of a rule (its name's beginning) in the order of submission.

        Parameters
        ----------
        rule : str
            ``embed``, or ``embed_wildcards_instructblip_IC_subj01-000``.
        since : int
            Ids from this one on.
        """
        names = "JobIDRaw,Comment%200,State,Partition,Account,AllocTRES%200,TimelimitRaw"
        lines = self.run(
            "sacct", "--noheader", "--parsable2", "--allocations", "--duplicates",
            "--starttime=now-1days", f"--format={names}",
        ).splitlines()  # fmt: skip
        found = []
        for line in lines:
            number, comment, state, partition, account, given, minutes = line.split("|")
            tres = dict(item.split("=") for item in given.split(",") if item)
            found.append(
                Job(
                    id=number,
                    rule=comment.removeprefix("rule_"),
                    state=state.split()[0],
                    partition=partition,
                    account=account,
                    cpus=int(tres.get("cpu", 0)),
                    mem_mb=_mb(tres.get("mem", "0M")),
                    gpus=int(tres.get("gres/gpu", 0)),
                    minutes=int(minutes or 0),
                )
            )
        return [job for job in found if job.rule.startswith(rule) and int(job.id) >= since]

    @property
    def next_id(self) -> int:
        """Id that the next job will have, at least."""
        return max((int(job.id) for job in self.jobs()), default=0) + 1

    # How it comes up.

    def _start(self) -> None:
        for folder in ("etc", "log", "run", "state", "dev", *(f"spool/{node}" for node in NODES)):
            (self.root / folder).mkdir(parents=True)
        (self.root / "munge").mkdir(mode=0o755)
        self.root.chmod(0o755)
        for index in range(2):
            os.mknod(self.root / f"dev/gpu{index}", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
        values = ports | {
            "root": self.root,
            "host": socket.gethostname().split(".")[0],
            "password": secrets.token_hex(8),
        }
        for template in TEMPLATES.iterdir():
            path = self.root / "etc" / template.name
            path.touch(mode=0o600 if template.name == "slurmdbd.conf" else 0o644)
            path.write_text(_fill(template.read_text(), values))
        conf = self.root / "etc/slurm.conf"
        os.environ["SLURM_CONF"] = str(conf)
        SYSTEM_CONF.parent.mkdir(exist_ok=True)
        SYSTEM_CONF.unlink(missing_ok=True)
        SYSTEM_CONF.symlink_to(conf)

        self._start_munge()
        self._start_database(str(values["password"]), int(ports["database_port"]))
        self._daemon("slurmdbd", "slurmdbd", SLURM_CONF=str(self.root / "etc/slurmdbd.conf"))
        self._wait(["sacctmgr", "-n", "list", "cluster"], "slurmdbd")
        for entity in (
            ["cluster", "test"],
            ["account", ACCOUNT, "cluster=test"],
            ["user", "root", f"account={ACCOUNT}", "cluster=test"],
        ):
            self.run("sacctmgr", "--immediate", "--quiet", "add", *entity)
        self._daemon("slurmctld", "slurmctld")
        self._wait(["scontrol", "ping"], "slurmctld")
        for node in NODES:
            self._daemon("slurmd", f"slurmd-{node}", "-N", node)
        wait_for(self._nodes_are_idle, 60, f"both nodes, see {self.root}/log")

    def _start_munge(self) -> None:
        folder = self.root / "munge"
        key = folder / "key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        self._daemon(
            "munged", "munged", f"--key-file={key}", f"--socket={folder}/socket",
            f"--pid-file={self.root}/run/munged.pid", f"--log-file={self.root}/log/munged.log",
            f"--seed-file={folder}/seed", "--force",
        )  # fmt: skip
        self._wait(["munge", "-n", f"--socket={folder}/socket"], "munge")

    def _start_database(self, password: str, port: int) -> None:
        data, run = self.root / "mysql", self.root / "run/mysql"
        with contextlib.suppress(subprocess.CalledProcessError):  # it exists
            subprocess.run(
                ["useradd", "--system", "--no-create-home", "--shell=/usr/sbin/nologin", "mysql"],
                check=True,
                capture_output=True,
            )
        for folder in (data, run):
            folder.mkdir()
            shutil.chown(folder, "mysql")
        self.run(
            "mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={data}",
            "--skip-test-db", "--auth-root-authentication-method=socket",
            "--auth-root-socket-user=root",
        )  # fmt: skip
        pid_file = run / "mariadbd.pid"
        self._daemons.append(("mariadbd", pid_file))
        with (self.root / "log/mariadbd.log").open("w") as log:
            subprocess.Popen(
                [
                    "mariadbd", "--no-defaults", "--user=mysql", f"--datadir={data}",
                    f"--socket={run}/socket", f"--pid-file={pid_file}",
                    "--bind-address=127.0.0.1", f"--port={port}", "--skip-name-resolve",
                    "--plugin-load-add=auth_socket.so", "--innodb-buffer-pool-size=64M",
                    "--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=0",
                    "--innodb-lock-wait-timeout=900", "--performance-schema=OFF",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        client = ["mariadb", "--no-defaults", f"--socket={run}/socket", "--user=root", "-e"]
        self._wait([*client, "select 1"], "mariadbd")
        self.run(
            *client,
            "create database accounting;"
            f"create user 'slurm'@'127.0.0.1' identified by '{password}';"
            "grant all on accounting.* to 'slurm'@'127.0.0.1';",
        )

    def _daemon(self, name: str, label: str, *arguments: str, **environment: str) -> None:
        self._daemons.append((name, self.root / f"run/{label}.pid"))
        done = subprocess.run(
            [name, *arguments],
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ClusterError(f"{label} did not start: {done.stdout}")

    def _wait(self, command: list[str], what: str) -> None:
        def answers() -> bool:
            done = subprocess.run(command, capture_output=True, check=False)
            return done.returncode == 0

        wait_for(answers, 60, f"{what}, see {self.root}/log")

    def _nodes_are_idle(self) -> bool:
        states = self.run("sinfo", "--noheader", "--Node", "--format=%N %T").splitlines()
        return sorted(states) == sorted(f"{node} idle" for node in NODES)


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Look five times a second until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.2)


_PORTS = (
    "controller_port",
    "accounting_port",
    "database_port",
    "gpu_node_port",
    "cpu_node_port",
)


def _free_ports(count: int) -> Iterator[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1] for one in sockets]
    return iter(ports)


def _fill(template: str, values: dict[str, object]) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", str(value))
    return template


def _mb(text: str) -> int:
    """Read SLURM's amounts of memory: 48000M, 46.88G."""
    factors = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}
    return round(float(text[:-1]) * factors[text[-1]])


def _is_link() -> bool:
    return SYSTEM_CONF.is_symlink()


def _pid_file_of(conf: Path) -> Path | None:
    if not conf.exists():
        return None
    for line in conf.read_text().splitlines():
        if line.startswith("SlurmctldPidFile="):
            return Path(line.partition("=")[2])
    return None


def _alive(pid_file: Path | None) -> int | None:
    if pid_file is None or not pid_file.exists() or not pid_file.read_text().strip():
        return None
    pid = int(pid_file.read_text())
    return pid if Path(f"/proc/{pid}").exists() else None


def _stop(name: str, pid_file: Path) -> None:
    pid = _alive(pid_file)
    # Debian's slurmctld is a link to slurmctld-wlm.
    if pid is None or not Path(f"/proc/{pid}/exe").readlink().name.startswith(name):
        return
    os.kill(pid, signal.SIGTERM)
    try:
        wait_for(lambda: not _runs(pid), 20, f"{name} to stop")
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
