from __future__ import annotations

from pathlib import Path


def saved(drawing, stem: Path) -> dict[str, Path]:
    """Save a figure and its table under one name, to which suffixes are added."""
    paths = {suffix: Path(f"{stem}.{suffix}") for suffix in ("svg", "png", "tsv")}
    drawing.save(*paths.values())
    return paths
