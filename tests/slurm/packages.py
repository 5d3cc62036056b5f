"""Debian's packages of SLURM."""

from __future__ import annotations

from debian_packages import install_missing

PACKAGES = (
    "munge",
    "slurmctld",
    "slurmd",
    "slurm-client",
    "slurmdbd",
    "mariadb-server-core",
    "mariadb-client-core",
)


def obstacle() -> str | None:
    """Install what is missing; return why no cluster can be started here, if so."""
    return install_missing(*PACKAGES)
