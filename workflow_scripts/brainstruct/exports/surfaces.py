"""Cortical surfaces that maps are carried to, as vertices that lie in certain voxels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainstruct.brain.sampler import Sampler, sampler_at
from brainstruct.datasets import reading
from brainstruct.datasets.interface import DataSet
from brainstruct.exports.images import Side
from brainstruct.exports.sidecars import TEXTS

SIDES: tuple[Side, Side] = ("L", "R")


@dataclass(frozen=True)
class Cortex:
    """The vertices of both hemispheres."""

    space: str  # their ``space`` entity
    samplers: Mapping[Side, Sampler]  # the voxels under each vertex
    density: str | None  # their ``den`` entity, where the space has several
    reference: str  # which surfaces have these vertices
    sampling: str  # how values got there


def own_cortices(
    dataset: DataSet, subject: str, mask: NDArray[np.bool_], *, average: bool
) -> list[Cortex]:
    """Read where a subject's vertices lie, from the data set's transforms.

    Parameters as for `brainstruct.datasets.reading.Reader.vertices`; with
    `average` there is fsaverage beside the subject's own surfaces, each of its
    vertices where that of the subject lies which surface-based registration found.
    """
    reader = dataset.reader()
    places = reader.vertices(subject, mask)
    surfaces = dataset.cortex_files(subject, "full")[0].pial.parent.relative_to(dataset.root)
    found = [
        Cortex(
            "fsnative",
            _samplers(places, mask.shape),
            None,
            TEXTS["fsnative"].format(folder=surfaces.as_posix()),
            _sampling(len(places[0])),
        )
    ]
    if average:
        carried = [
            own[:, reader.average_vertices(subject, side, own.shape[1])]
            for side, own in zip(reading.SIDES, places, strict=True)
        ]
        found.append(
            Cortex(
                "fsaverage",
                _samplers(carried, mask.shape),
                "164k",
                TEXTS["fsaverage"],
                f"{_sampling(len(places[0]))} {TEXTS['to_fsaverage']}",
            )
        )
    return found


def store_cortex(
    name: str, label: str, places: Sequence[NDArray[np.floating]], shape: Sequence[int]
) -> Cortex:
    """Make a cortex of the surfaces of a pycortex store's subject, called `label` in entities.

    `places` are [depth, vertex, (i, j, k)], of the left hemisphere and the right one, in a volume
    of a shape.
    """
    return Cortex(
        label,
        _samplers(places, shape),
        None,
        TEXTS["stored"].format(name=name),
        _sampling(len(places[0]), "the store's transform"),
    )


def _samplers(places: Sequence[NDArray[np.floating]], shape: Sequence[int]) -> dict[Side, Sampler]:
    return {side: sampler_at(points, shape) for side, points in zip(SIDES, places, strict=True)}


def _sampling(n_depths: int, by: str = "the data set's transforms") -> str:
    return TEXTS["sampling"].format(n_depths=n_depths, by=by)
