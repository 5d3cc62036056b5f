"""Texts and tables that stand beside the code."""

import tomllib
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any


def text_beside(module: str, name: str) -> str:
    """Return a file in the folder of a module, which is given by its ``__file__``."""
    return Path(module).with_name(name).read_text(encoding="utf-8")


def table_beside(module: str, name: str) -> dict[str, Any]:
    """Return what a TOML file in the folder of a module says; see `text_beside`."""
    return tomllib.loads(text_beside(module, name))


def findings_beside(module: str, name: str) -> Callable[..., tuple[str, str]]:
    """Return what says fault and cure of a finding, by its name in a TOML file beside a module.

    What the texts have in braces is given by name.
    """
    texts = table_beside(module, name)

    def said(finding: str, **of: object) -> tuple[str, str]:
        return texts[finding]["fault"].format(**of), texts[finding]["cure"].format(**of)

    return said


def parser_beside(module: str, first: Callable[[ArgumentParser], None]) -> ArgumentParser:
    """Make the parser of a command that ``command.toml`` beside a module describes.

    `first` adds what comes before its own options.
    """
    described = table_beside(module, "command.toml")
    parser = ArgumentParser(**described["command"])
    first(parser)
    for names, options in described["options"].items():
        parser.add_argument(*names.split(), **options)
    return parser
