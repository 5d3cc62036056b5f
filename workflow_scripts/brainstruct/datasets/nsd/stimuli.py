"""The images: where each comes from, and its pixels."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from brainstruct.datasets.nsd import numbers
from brainstruct.datasets.nsd.design import CURE, ExpDesign, trial_numbers
from brainstruct.datasets.nsd.layout import COCO_SPLITS, SUBJECTS
from brainstruct.errors import InputError
from brainstruct.store.faults import reading
from brainstruct.store.hdf5 import array_of, open_hdf5

_LARGEST = 8192
"""Rows and columns of an image, at most: larger ones are a damaged header."""

_IMAGES_CURE = "Download it again from s3://natural-scenes-dataset/nsddata_stimuli/stimuli/nsd"


def read_stim_info(path: str | os.PathLike[str], design: ExpDesign) -> pd.DataFrame:
    """Read ``nsd_stim_info_merged.csv`` and check it against the design.

    There is one row per image in the order of ``nsd_id``: ``nsd_id`` and ``coco_id`` (int64),
    ``coco_split`` (``train2017`` or ``val2017``), ``shared`` (bool). An `InputError` if the file
    disagrees with the design: on the shared images, or on the trials of a subject's images.
    """
    needed = ["cocoId", "cocoSplit", "nsdId", "shared1000"]
    wanted = {*needed, *(name for subject in SUBJECTS for name in repetition_columns(subject))}
    with reading(path, "table", CURE):
        # Whole columns: in pieces, a damaged one would have several types and cause a warning.
        table = pd.read_csv(path, usecols=lambda name: name in wanted, low_memory=False)
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise InputError(path, f"lacks the columns {', '.join(missing)}", CURE)
    for fault in _faults(table, design):
        raise InputError(path, fault, CURE)
    return pd.DataFrame(
        {
            "nsd_id": table["nsdId"].astype(np.int64),
            "coco_id": table["cocoId"].astype(np.int64),
            "coco_split": table["cocoSplit"].astype(str),
            "shared": table["shared1000"].to_numpy().astype(bool),
        }
    )


class StimulusReader:
    """The pixels of ``nsd_stimuli.hdf5``, by ``nsd_id``; a context manager.

    The file holds ``imgBrick``, uint8, [image: 73000, row, column, RGB]; else an `InputError`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        with ExitStack() as stack:
            file = stack.enter_context(open_hdf5(self.path, _IMAGES_CURE))
            self._images = self._checked_images(file)
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the images."""
        return int(self._images.shape[1]), int(self._images.shape[2])

    def size_of(self, stimulus: int) -> tuple[int, int]:  # noqa: ARG002 - all have one
        """Return rows and columns of an image."""
        return self.size

    def array(self, nsd_id: int) -> npt.NDArray[np.uint8]:
        """Return one image, [row, column, RGB].

        An `InputError` if there is no such image, or it is blank: a part of the file was never
        written.
        """
        place = int(nsd_id)
        if not 0 <= place < numbers.N_IMAGES:
            fault = f"holds the images 0 to {numbers.N_IMAGES - 1}, and a list names {place}"
            raise InputError(self.path, fault, "Delete the lists of images: they are made again")
        with reading(self.path, f"file with the image of nsd_id {place}", _IMAGES_CURE):
            pixels: npt.NDArray[np.uint8] = self._images[place]
        if not pixels.any():
            raise InputError(self.path, f"the image of nsd_id {place} is blank", _IMAGES_CURE)
        return pixels

    def image(self, stimulus: int) -> Image.Image:
        """Return one image as RGB; raises as `array` does."""
        return Image.fromarray(self.array(stimulus))

    def _checked_images(self, file: h5py.File) -> h5py.Dataset:
        images = array_of(file, "imgBrick", 4, _IMAGES_CURE)
        fault = None
        if images.dtype != np.uint8 or images.shape[-1] != 3:
            fault = (
                f"imgBrick is {images.dtype} of shape {images.shape} instead of uint8 "
                "(image, row, column, 3)"
            )
        elif images.shape[0] != numbers.N_IMAGES:
            fault = f"imgBrick holds {images.shape[0]} images instead of {numbers.N_IMAGES}"
        elif max(images.shape[1:3]) > _LARGEST:
            fault = f"imgBrick holds images of {images.shape[1]} x {images.shape[2]} pixels"
        if fault:
            raise InputError(self.path, fault, _IMAGES_CURE)
        return images


def subject_column(subject: str) -> str:
    """Return the name of a subject's column in the stimulus table: ``subject1``, .."""
    return f"subject{int(subject.removeprefix('subj'))}"


def repetition_columns(subject: str) -> list[str]:
    """Return the names of the columns of a subject's trials: ``subject1_rep0``, .."""
    return [f"{subject_column(subject)}_rep{rep}" for rep in range(numbers.N_REPETITIONS)]


def _faults(table: pd.DataFrame, design: ExpDesign) -> Iterator[str]:
    """Say what is wrong with the stimulus table, which may lack the trials of subjects."""
    if len(table) != numbers.N_IMAGES:
        yield f"has {len(table)} rows instead of {numbers.N_IMAGES}"
    stated = {subject: repetition_columns(subject) for subject in SUBJECTS}
    whole = ["nsdId", "cocoId", *(name for names in stated.values() for name in names)]
    for name in whole:
        if name in table.columns and not pd.api.types.is_integer_dtype(table[name]):
            yield f"the column {name} holds other than whole numbers"
    out_of_order = np.flatnonzero(table["nsdId"].to_numpy() != np.arange(numbers.N_IMAGES))
    if out_of_order.size:
        yield f"row {out_of_order[0]} is not the image of that nsdId"
    unknown = set(table["cocoSplit"].unique()) - set(COCO_SPLITS)
    if unknown:
        yield f"names unknown COCO splits: {sorted(map(str, unknown))}"
    shared = np.flatnonzero(table["shared1000"].to_numpy().astype(bool))
    if not np.array_equal(shared, design.shared):
        yield (
            f"marks {shared.size} images as shared1000, of which "
            f"{np.intersect1d(shared, design.shared).size} are among "
            f"the {design.shared.size} of the experiment's design"
        )
    for subject, names in stated.items():
        if set(names) <= set(table.columns):
            trials = np.sort(table[names].to_numpy(), axis=1)
            expected = trial_numbers(design, subject)
            wrong = np.flatnonzero((trials != expected).any(axis=1))
            if wrong.size:
                yield (
                    f"gives {wrong.size} images of {subject} other trials than the experiment's "
                    f"design (nsdId {wrong[0]}: {trials[wrong[0]].tolist()} instead of "
                    f"{expected[wrong[0]].tolist()})"
                )
