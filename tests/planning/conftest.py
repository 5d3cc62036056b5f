from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from planned import build

from brainstruct.planning.amounts import Amounts


@pytest.fixture
def amounts(paper_config, tmp_path, monkeypatch) -> Amounts:
    """Sizes of the paper's study, where none of its files are."""
    monkeypatch.chdir(tmp_path)
    return build(paper_config)
