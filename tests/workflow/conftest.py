from __future__ import annotations

import pytest
from browser import launch
from checkout import Checkout


@pytest.fixture
def edited(finished, tmp_path) -> Checkout:
    """A copy of the finished study, to be changed."""
    return finished.copy(tmp_path / "checkout")


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium; tests that need it are skipped, loudly, where there is none."""
    with launch() as found:
        yield found
