"""What cortices and their files are called in pycortex's filestores."""

from collections.abc import Iterator
from pathlib import Path

FSAVERAGE = "fsaverage5"
"""The average cortex."""

SIDES = ("lh", "rh")

FORMATS = ("gii", "npz", "vtk")
"""Endings of surfaces, in the order in which pycortex looks for them."""

TRANSFORM = ("matrices.xfm", "reference.nii.gz")
"""The matrices of a transform, and an image of the space that it leads to."""

OVERLAYS = ("overlays.svg", "rois.svg")


def name_in_store(source: str, subject: str, configured: str) -> str:
    """Return the name of a subject's cortex, given where it is taken from.

    `configured` is its name in the filestore, if it is taken from there.
    """
    return {"store": configured, "freesurfer": subject, "fsaverage": FSAVERAGE}[source]


def surface_file(folder: Path, kind: str, side: str) -> Path:
    """Return the file of a surface of a subject (``wm``, ``pia``, ``flat`` or ``inflated``)."""
    names = [folder / "surfaces" / f"{kind}_{side}.{ending}" for ending in FORMATS]
    return next((path for path in names if path.is_file()), names[0])


def values_file(folder: Path, name: str) -> Path:
    """Return the file of values of all vertices, such as ``curvature``."""
    return folder / "surface-info" / f"{name}.npz"


def needed_files(folder: Path, transform: str) -> Iterator[Path]:
    """Name what a subject must have to be drawn."""
    for kind in ("wm", "pia", "flat"):
        yield from (surface_file(folder, kind, side) for side in SIDES)
    yield from (folder / "transforms" / transform / name for name in TRANSFORM)


def read_if_there(folder: Path) -> Iterator[Path]:
    """Name what else is read of a subject."""
    yield from (surface_file(folder, "inflated", side) for side in SIDES)
    yield from (values_file(folder, name) for name in ("curvature", "bumpy_flatmap"))
    yield from (folder / name for name in OVERLAYS)
