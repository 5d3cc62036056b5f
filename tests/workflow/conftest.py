from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from checkout import Checkout

SMALL = ("--configfile", "small.yaml")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Checkout:
    """A checkout in which nothing has been run."""
    return Checkout.fresh(tmp_path_factory.mktemp("fresh") / "checkout")


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Checkout:
    """A checkout with the small study done; tests must copy it before they change it."""
    checkout = Checkout.fresh(tmp_path_factory.mktemp("finished") / "checkout")
    checkout.run(*SMALL, timeout=600)
    return checkout


@pytest.fixture
def edited(finished, tmp_path) -> Checkout:
    """A copy of the finished study, to be changed."""
    return finished.copy(tmp_path / "checkout")
