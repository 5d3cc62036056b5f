"""Texts and tables that stand beside the code."""

import tomllib
from pathlib import Path
from typing import Any


def text_beside(module: str, name: str) -> str:
    """Return a file in the folder of a module, which is given by its ``__file__``."""
    return Path(module).with_name(name).read_text(encoding="utf-8")


def table_beside(module: str, name: str) -> dict[str, Any]:
    """Return what a TOML file in the folder of a module says; see `text_beside`."""
    return tomllib.loads(text_beside(module, name))
