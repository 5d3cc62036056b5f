"""Rules write_synthetic_surfaces_*: the cortex that a synthetic subject is laid out on, its own."""

import tempfile
from pathlib import Path

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic import surfaces
from brainstruct.figures.cortex_store import find_subject, use_store
from brainstruct.figures.fsaverage import nearest_vertices
from brainstruct.figures.halves import read_alignment, read_stored
from brainstruct.figures.preparing import with_folds
from brainstruct.jobs.run import script


@script
def write_synthetic_surfaces(
    *, layout: Layout, subject: str, cortex_subject: str, transform: str, patch: str
) -> None:
    """Write surfaces, a flat patch, and the transforms to both."""
    origin = find_subject(None, cortex_subject)
    alignment = read_alignment(origin, transform)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "db").mkdir()
        use_store(folder)
        pair = with_folds(read_stored(origin), Path(folder))
        index = nearest_vertices(pair)
    for half, average in zip(pair, index, strict=True):
        surfaces.write_surfaces(layout, subject, half, patch)
        surfaces.write_depths(layout, subject, half, alignment.voxels)
        surfaces.write_average(layout, subject, half.side, average)
