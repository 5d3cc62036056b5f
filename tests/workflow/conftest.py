from __future__ import annotations

import pytest
from browser import launch


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium; tests that need it are skipped, loudly, where there is none."""
    with launch() as found:
        yield found
