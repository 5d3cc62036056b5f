"""What several rooms' tests need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parent.parent


def read_config(*names: str) -> dict[str, Any]:
    """Merge configuration files as Snakemake does: mappings are merged, the rest replaced."""
    merged: dict[str, Any] = {}
    for name in ("instructions", "checkpoints", "config", *names):
        _merge(merged, yaml.safe_load((REPOSITORY / "config" / f"{name}.yaml").read_text()))
    return merged


def _merge(into: dict[str, Any], new: dict[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


@pytest.fixture
def paper_config() -> dict[str, Any]:
    return read_config()


@pytest.fixture
def demo_config() -> dict[str, Any]:
    return read_config("demo")
