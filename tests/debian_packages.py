"""Debian's packages that tests need, installed where they may be."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
"""While it exits with 101, no package starts a daemon of its own."""


def install_missing(*packages: str) -> str | None:
    """Install what is missing; return why that cannot be, if so.

    Processes of tests that run side by side take turns: apt's own lock would
    refuse the second one.
    """
    if os.geteuid() != 0:
        return "not root"
    if shutil.which("apt-get") is None:
        return "no apt-get"
    folder = Path(tempfile.gettempdir())
    with (folder / "brainstruct-packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [name for name in packages if not _is_installed(name)]
        return _install(missing, folder / "brainstruct-packages.log") if missing else None


def _is_installed(package: str) -> bool:
    done = subprocess.run(
        ["dpkg-query", "-W", "-f=${db:Status-Status}", package],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout == "installed"


def _install(packages: list[str], log: Path) -> str | None:
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=2"]
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
