"""Flatmaps on disk: built once per subject, then only read, by any number of jobs."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
from scipy import sparse

from brainstruct.errors import InputError
from brainstruct.figures.surface import Flatmap
from brainstruct.store.publishing import publish


def write_flatmap(flatmap: Flatmap, path: str | os.PathLike[str]) -> None:
    """Publish a flatmap; the same flatmap gives the same bytes."""
    with publish(path) as temporary:
        np.savez(
            temporary,
            data=flatmap.sampler.data,
            indices=flatmap.sampler.indices,
            indptr=flatmap.sampler.indptr,
            inside=flatmap.inside,
            extent=np.array(flatmap.extent),
            curvature=flatmap.curvature,
            volume_shape=np.array(flatmap.volume_shape),
            note=np.array(flatmap.note),
        )


def read_flatmap(path: str | os.PathLike[str]) -> Flatmap:
    """Read a flatmap written by `write_flatmap`.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            parts = {name: stored[name] for name in stored.files}
        columns, rows, depth = (int(length) for length in parts["volume_shape"])
        left, right, bottom, top = (float(edge) for edge in parts["extent"])
        return Flatmap(
            sampler=sparse.csr_array(
                (parts["data"], parts["indices"], parts["indptr"]),
                shape=(int(parts["inside"].sum()), columns * rows * depth),
            ),
            inside=parts["inside"],
            extent=(left, right, bottom, top),
            curvature=parts["curvature"],
            volume_shape=(columns, rows, depth),
            note=str(parts.get("note", "")),
        )
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            path,
            f"is no readable flatmap ({error})",
            f"Delete the folder {Path(path).parent} and ready.json of the pycortex store, and "
            "run the study again",
        ) from error
