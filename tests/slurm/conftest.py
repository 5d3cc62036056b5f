"""A SLURM cluster, and the small study done on it as the README says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))

from checkout import Done
from cluster import ACCOUNT, Cluster
from login import Login, log_in, readme_blocks
from packages import obstacle

SKIPPED = "NOTHING OF SLURM IS TESTED: no cluster can be started here"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """SLURM on this machine, until the tests end."""
    if reason := obstacle():
        pytest.skip(f"{SKIPPED} ({reason})")
    running = Cluster.start()
    yield running
    running.stop()


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    lines = {str(report.longrepr[2]) for report in skipped if SKIPPED in str(report.longrepr)}
    for line in lines:
        terminalreporter.write_line(line.removeprefix("Skipped: "), red=True, bold=True)


@dataclass(frozen=True)
class Studied:
    """The small study after the README was followed."""

    login: Login
    done: Done


@pytest.fixture(scope="session")
def studied(cluster, supplied, tmp_path_factory) -> Studied:
    """The small data set as a user's own, analysed by the README's commands.

    One model of the small study is enough: others take the same way.
    """
    login = log_in(tmp_path_factory.mktemp("cluster") / "checkout", cluster)
    (login.root / "resources").symlink_to(supplied.root / "resources")
    config = yaml.safe_load((login.root / "small.yaml").read_text())
    del config["synthetic"]
    config["results"] = "results"
    config["models"] = config["models"][:1]
    config["embedding"] |= {"images_per_shard": 64}
    (login.root / "config/local.yaml").write_text(yaml.safe_dump(config))
    script = "".join(readme_blocks("On a SLURM cluster"))
    assert f"slurm_account: {ACCOUNT}" in script
    done = login.command("bash", "-euxo", "pipefail", "-c", script)
    assert done.status == 0, done.text[-6000:]
    return Studied(login, done)


@pytest.fixture
def login(studied, tmp_path) -> Login:
    """A copy of the finished study, to be changed."""
    return studied.login.copy(tmp_path / "checkout")
