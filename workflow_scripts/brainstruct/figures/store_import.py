"""A subject's surfaces in the study's own pycortex filestore."""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import nibabel
import numpy as np
from nibabel.gifti.gifti import GiftiDataArray, GiftiImage
from numpy.typing import NDArray

from brainstruct.brain.hemisphere import Hemisphere
from brainstruct.figures.halves import Alignment, stored_values
from brainstruct.figures.store_names import OVERLAYS, TRANSFORM, values_file
from brainstruct.store.faults import reading
from brainstruct.store.publishing import publish_folder


def import_subject(
    folder: str | os.PathLike[str],
    name: str,
    left: Hemisphere,
    right: Hemisphere,
    alignments: Iterable[Alignment] = (),
    origin: Path | None = None,
) -> Path:
    """Write a subject into a store as pycortex expects it, so that pycortex can show it too.

    What is drawn on its flat surfaces, and their relief, comes from `origin`, its folder in another
    filestore, if there is one: flat surfaces must lie as they lie there. Returns ``db/<name>``,
    published whole; a subject of that name is replaced.
    """
    target = Path(folder).resolve() / "db" / name
    with publish_folder(target) as draft:
        for part in ("surfaces", "surface-info", "transforms", "anatomicals", "views", "cache"):
            (draft / part).mkdir(parents=True)
        for half in (left, right):
            surfaces = {"wm": half.white, "pia": half.pial, "inflated": half.inflated}
            for kind, points in surfaces.items():
                if points is not None:
                    _write(draft / "surfaces" / f"{kind}_{half.side}.gii", points, half.triangles)
            flat = draft / "surfaces" / f"flat_{half.side}.gii"
            _write(flat, _with_height(half), half.flat_triangles)
        if left.curvature is not None and right.curvature is not None:
            np.savez(values_file(draft, "curvature"), left=left.curvature, right=right.curvature)
        for alignment in alignments:
            _write_alignment(alignment, draft / "transforms" / alignment.name)
        if origin is not None:
            _take_drawings(origin, draft)
            _take_relief(origin, draft, left, right)
    return target


def _with_height(half: Hemisphere) -> NDArray[np.float32]:
    """Flat vertices as [vertex, (x, y, z)]; those that have no place lie in the middle."""
    points = np.zeros((len(half.flat), 3), np.float32)
    placed = np.asarray(np.isfinite(half.flat).all(axis=1))
    middle = half.flat[np.unique(half.flat_triangles)].mean(axis=0)
    points[:, :2] = np.where(placed[:, None], half.flat, middle)
    return points


def _write(path: Path, points: NDArray[np.float32], triangles: NDArray[np.int32]) -> None:
    arrays = [
        GiftiDataArray(points, intent="NIFTI_INTENT_POINTSET", datatype="NIFTI_TYPE_FLOAT32"),
        GiftiDataArray(triangles, intent="NIFTI_INTENT_TRIANGLE", datatype="NIFTI_TYPE_INT32"),
    ]
    nibabel.save(GiftiImage(darrays=arrays), path)


def _write_alignment(alignment: Alignment, folder: Path) -> None:
    """Write a transform, and an empty volume that has the shape of the data."""
    folder.mkdir()
    matrix = alignment.matrix.tolist()
    text = json.dumps({"coord": matrix, "magnet": matrix}, indent=1)
    (folder / TRANSFORM[0]).write_text(text, encoding="utf-8")
    empty = np.zeros(alignment.shape, np.uint8)
    nibabel.save(nibabel.Nifti1Image(empty, np.eye(4)), folder / TRANSFORM[1])


def _take_drawings(origin: Path, draft: Path) -> None:
    for file in (origin / name for name in OVERLAYS):
        if not file.is_file():
            continue
        cure = "Repair it, or take the subject into a filestore without it"
        with reading(file, "drawing with a width and a height in pixels", cure):
            page = ElementTree.parse(file).getroot()
            float(page.get("width", "")), float(page.get("height", ""))
        shutil.copyfile(file, draft / file.name)


def _take_relief(origin: Path, draft: Path, left: Hemisphere, right: Hemisphere) -> None:
    """Copy the heights of vertices on pages, which take pycortex long to find."""
    name, before = "bumpy_flatmap", "bump_"
    on_left, on_right = (
        stored_values(origin, name, half.side, len(half.white), before) for half in (left, right)
    )
    if on_left is not None and on_right is not None:
        np.savez(values_file(draft, name), bump_left=on_left, bump_right=on_right)
