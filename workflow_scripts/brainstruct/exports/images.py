"""Maps as NIfTI volumes on the subject's own grid, and as GIFTI files on one hemisphere."""

from pathlib import Path
from typing import Any, Literal

import nibabel
import numpy as np
import pandas as pd
from nibabel.gifti.gifti import (
    GiftiDataArray,
    GiftiImage,
    GiftiLabel,
    GiftiLabelTable,
    GiftiMetaData,
)
from numpy.typing import NDArray

from brainstruct.brain.images import Grid
from brainstruct.brain.sampler import Sampler
from brainstruct.exports.maps import NOTHING, VoxelMap

Side = Literal["L", "R"]

EXTENSIONS = {"statmap": ".func.gii", "dseg": ".label.gii"}
"""Suffix of a map that has a surface form -> extension."""

_STRUCTURES = {"L": "CortexLeft", "R": "CortexRight"}

_INTENTS = {"p": "NIFTI_INTENT_PVAL", "r": "NIFTI_INTENT_CORREL"}
"""Statistic -> NIfTI intent, where there is one."""

_STORED = {"statmap": (np.float32, np.nan), "dseg": (np.int16, NOTHING), "mask": (np.uint8, 0)}
"""Suffix of a map -> type of its numbers, and the one outside the analysed voxels."""


def write_nifti(found: VoxelMap, grid: Grid, path: Path) -> None:
    """Write a map as [x, y, z], or [x, y, z, volume]; the bytes depend on the content alone."""
    values = np.asarray(found.values)
    place = tuple(np.asarray(found.values[axis]) for axis in ("i", "j", "k"))
    kind, background = _STORED[found.suffix]
    volume = np.full((*grid.shape, *values.shape[:-1]), background, kind)
    volume[place] = values.T
    image = nibabel.Nifti1Image(volume, grid.affine)
    header = image.header
    header.set_sform(grid.affine, grid.code)
    header.set_qform(None, 0)  # as the data set's files: one statement of where voxels lie
    header.set_xyzt_units("mm")
    if found.suffix == "dseg":
        header.set_intent("label", name=found.desc[:15])
    nibabel.save(image, path)


def sample(found: VoxelMap, sampler: Sampler) -> NDArray[np.generic]:
    """Carry a map to vertices: numbers are averaged over the depth of the cortex, labels voted.

    Returns [volume, vertex], float32 with NaN where most of the depth has no value, or int32
    with `NOTHING` there.
    """
    if found.labels is not None:
        codes = (found.values.astype(np.int64) - 1).where(found.values != NOTHING, -1)
        vote = sampler.vote(codes.astype(np.int64), int(found.labels["index"].max()))
        return np.where(vote < 0, NOTHING, vote + 1).astype(np.int32)[None]
    if found.values.ndim == 1:
        return sampler.average(found.values)[None].astype(np.float32)
    first = found.values.dims[0]
    rows = [sampler.average(found.values.isel({first: row})) for row in range(len(found.values))]
    return np.stack(rows).astype(np.float32)


def write_gifti(found: VoxelMap, values: NDArray[np.generic], side: Side, path: Path) -> None:
    """Write a map on the vertices of a hemisphere; `values` are those of `sample`."""
    labelled = found.labels is not None
    intent = (
        "NIFTI_INTENT_LABEL" if labelled else _INTENTS.get(str(found.stat), "NIFTI_INTENT_NONE")
    )
    kind = "NIFTI_TYPE_INT32" if labelled else "NIFTI_TYPE_FLOAT32"
    name = "_".join(part for part in (found.desc, found.stat) if part)
    arrays = [
        GiftiDataArray(
            np.ascontiguousarray(row),
            intent=intent,
            datatype=kind,
            encoding="GIFTI_ENCODING_B64GZ",
            meta=GiftiMetaData({"Name": volume}),
        )
        for row, volume in zip(values, found.names or [name], strict=True)
    ]
    image = GiftiImage(
        darrays=arrays,
        meta=GiftiMetaData({"AnatomicalStructurePrimary": _STRUCTURES[side], "Name": name}),
        labeltable=None if found.labels is None else _label_table(found.labels),
    )
    nibabel.save(image, path)


def _label_table(labels: pd.DataFrame) -> GiftiLabelTable:
    table = GiftiLabelTable()
    table.labels.append(_label(NOTHING, "none", (0.0, 0.0, 0.0, 0.0)))
    for index, name, colour in zip(labels["index"], labels["name"], labels["color"], strict=True):
        red, green, blue = (part / 255 for part in bytes.fromhex(colour.removeprefix("#")))
        table.labels.append(_label(int(index), str(name), (red, green, blue, 1.0)))
    return table


def _label(index: int, name: str, colour: tuple[float, float, float, float]) -> GiftiLabel:
    made: Any = GiftiLabel(index, *colour)
    made.label = name  # nibabel keeps it beside the constructor
    label: GiftiLabel = made
    return label
