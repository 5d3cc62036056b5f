"""Debian's packages of SLURM, installed where they may be."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PACKAGES = (
    "munge",
    "slurmctld",
    "slurmd",
    "slurm-client",
    "slurmdbd",
    "mariadb-server-core",
    "mariadb-client-core",
)

POLICY = Path("/usr/sbin/policy-rc.d")
"""While it exits with 101, no package starts a daemon of its own."""


def obstacle() -> str | None:
    """Install what is missing; return why no cluster can be started here, if so."""
    if os.geteuid() != 0:
        return "not root"
    if shutil.which("apt-get") is None:
        return "no apt-get"
    missing = [name for name in PACKAGES if not _is_installed(name)]
    return _install(missing) if missing else None


def _is_installed(package: str) -> bool:
    done = subprocess.run(
        ["dpkg-query", "-W", "-f=${db:Status-Status}", package],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout == "installed"


def _install(packages: list[str]) -> str | None:
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=2"]
    log = Path(tempfile.gettempdir()) / "slurm-packages.log"
    owned = not POLICY.exists()
    if owned:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        with log.open("w") as output:
            for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
                done = subprocess.run(
                    [*apt, *command],
                    env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
                if done.returncode != 0:
                    return f"apt-get {command[0]} failed, see {log}"
    finally:
        if owned:
            POLICY.unlink()
    return None
