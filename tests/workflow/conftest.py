from __future__ import annotations

import pytest
from checkout import Checkout


@pytest.fixture
def edited(finished, tmp_path) -> Checkout:
    """A copy of the finished study, to be changed."""
    return finished.copy(tmp_path / "checkout")
