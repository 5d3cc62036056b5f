"""From a configuration's words to a `Layout`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from brainstruct.nsd.layout import Layout


def locate(places: Mapping[str, str | None]) -> Layout:
    """Build the layout of a data set.

    Parameters
    ----------
    places : mapping
        ``nsd_root`` and ``annotations`` (`None`: inside the root), as in the
        configuration; ``space`` and ``betas``, where responses are read.
    """
    annotations = places["annotations"]
    return Layout(
        nsd_root=Path(str(places["nsd_root"])),
        annotations=Path(annotations) if annotations else None,
        **{name: str(places[name]) for name in ("space", "betas") if name in places},
    )
