"""The images: where each comes from, when a subject saw it, and its pixels."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from brainstruct.errors import InputError
from brainstruct.nsd import ids
from brainstruct.nsd.design import ExpDesign, trial_nsd_ids
from brainstruct.nsd.layout import COCO_SPLITS, SUBJECTS

_INFO_CURE = "Download it again from s3://natural-scenes-dataset/nsddata/experiments/nsd"
_IMAGES_CURE = "Download it again from s3://natural-scenes-dataset/nsddata_stimuli/stimuli/nsd"

_REPETITIONS = range(ids.N_REPETITIONS)

INDEX_COLUMNS: tuple[str, ...] = (
    "nsd_id",
    "split",
    "repetitions",
    "trials",
    "coco_id",
    "coco_split",
)


def read_stim_info(path: str | os.PathLike[str], design: ExpDesign) -> pd.DataFrame:
    """Read ``nsd_stim_info_merged.csv`` and check it against the design.

    Parameters
    ----------
    path : path
        The table.
    design : ExpDesign
        The source of truth on who saw what and when.

    Returns
    -------
    pandas.DataFrame
        One row per image in the order of ``nsd_id``: ``nsd_id`` and ``coco_id``
        (int64), ``coco_split`` (``train2017`` or ``val2017``), ``shared`` (bool).

    Raises
    ------
    InputError
        If the file is missing or unreadable, lacks a column or rows, has other
        than whole numbers for numbers, is not in the order of ``nsdId``, or
        disagrees with the design: on the shared images, or on the trials of a
        subject's images.
    """
    planned = [
        f"{subject_column(subject)}_rep{rep}" for subject in SUBJECTS for rep in _REPETITIONS
    ]
    columns = ["cocoId", "cocoSplit", "nsdId", "shared1000"]
    try:
        # Whole columns: in pieces, a damaged one would have several types and cause a warning.
        table = pd.read_csv(
            path, usecols=lambda name: name in columns or name in planned, low_memory=False
        )
    except (OSError, ValueError) as error:
        raise InputError(path, f"is no readable table ({error})", _INFO_CURE) from error
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise InputError(path, f"lacks the columns {', '.join(missing)}", _INFO_CURE)
    if len(table) != ids.N_IMAGES:
        raise InputError(path, f"has {len(table)} rows instead of {ids.N_IMAGES}", _INFO_CURE)
    whole = ["nsdId", "cocoId", *(name for name in planned if name in table.columns)]
    for name in whole:
        if not pd.api.types.is_integer_dtype(table[name]):
            raise InputError(path, f"the column {name} holds other than whole numbers", _INFO_CURE)
    out_of_order = np.flatnonzero(table["nsdId"].to_numpy() != np.arange(ids.N_IMAGES))
    if out_of_order.size:
        raise InputError(path, f"row {out_of_order[0]} is not the image of that nsdId", _INFO_CURE)
    unknown = set(table["cocoSplit"].unique()) - set(COCO_SPLITS)
    if unknown:
        raise InputError(
            path, f"names unknown COCO splits: {sorted(map(str, unknown))}", _INFO_CURE
        )
    shared = table["shared1000"].to_numpy().astype(bool)
    if not np.array_equal(np.flatnonzero(shared), design.shared):
        both = np.intersect1d(np.flatnonzero(shared), design.shared).size
        raise InputError(
            path,
            f"marks {np.count_nonzero(shared)} images as shared1000, of which {both} are among "
            f"the {design.shared.size} of the experiment's design",
            _INFO_CURE,
        )
    _check_trials(path, table, design)
    return pd.DataFrame(
        {
            "nsd_id": table["nsdId"].astype(np.int64),
            "coco_id": table["cocoId"].astype(np.int64),
            "coco_split": table["cocoSplit"].astype(str),
            "shared": shared,
        }
    )


def index_subject(
    design: ExpDesign, info: pd.DataFrame, subject: str, n_sessions: int
) -> pd.DataFrame:
    """List the images that a subject saw in the first sessions.

    Parameters
    ----------
    design : ExpDesign
        The experiment.
    info : pandas.DataFrame
        From `read_stim_info`.
    subject : str
        ``subj01`` to ``subj08``.
    n_sessions : int
        Sessions to count, from the first.

    Returns
    -------
    pandas.DataFrame
        One row per image, ascending ``nsd_id``, with `INDEX_COLUMNS`: ``split``
        is ``test`` for the images planned for all subjects and ``train`` for
        the others; ``repetitions`` is 1 to 3; ``trials`` are the 0-based trials
        of the subject, separated by commas.
    """
    shown = trial_nsd_ids(design, subject, n_sessions)
    trials = pd.Series(np.arange(shown.size).astype(str)).groupby(shown).agg(",".join)
    nsd_id = trials.index.to_numpy(dtype=np.int64)
    source = info.set_index("nsd_id").loc[nsd_id]
    return pd.DataFrame(
        {
            "nsd_id": nsd_id,
            "split": np.where(np.isin(nsd_id, design.shared), "test", "train"),
            "repetitions": np.unique(shown, return_counts=True)[1].astype(np.int64),
            "trials": trials.to_numpy(dtype=str),
            "coco_id": source["coco_id"].to_numpy(),
            "coco_split": source["coco_split"].to_numpy(dtype=str),
        },
        columns=list(INDEX_COLUMNS),
    )


class StimulusReader:
    """The pixels of ``nsd_stimuli.hdf5``, by ``nsd_id``; a context manager.

    Parameters
    ----------
    path : path
        The file. It holds ``imgBrick``, uint8, [image: 73000, row, column, RGB].

    Raises
    ------
    InputError
        If the file is missing, damaged or truncated, or ``imgBrick`` is absent,
        of another type or shape, or holds another number of images.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            self._file = h5py.File(self.path, "r")
        except OSError as error:
            raise InputError(path, f"is no readable HDF5 file ({error})", _IMAGES_CURE) from error
        try:
            self._images = self._checked_images()
        except InputError:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the images."""
        return int(self._images.shape[1]), int(self._images.shape[2])

    def array(self, nsd_id: int) -> npt.NDArray[np.uint8]:
        """Return one image, [row, column, RGB].

        Raises
        ------
        ValueError
            If `nsd_id` is out of range.
        InputError
            If the image can not be read or is blank: a part of the file was
            never written.
        """
        place = int(ids.valid_nsd_ids(nsd_id))
        try:
            pixels: npt.NDArray[np.uint8] = self._images[place]
        except (OSError, RuntimeError) as error:
            raise InputError(
                self.path, f"the image of nsd_id {place} is damaged ({error})", _IMAGES_CURE
            ) from error
        if not pixels.any():
            raise InputError(self.path, f"the image of nsd_id {place} is blank", _IMAGES_CURE)
        return pixels

    def image(self, nsd_id: int) -> Image.Image:
        """Return one image as RGB; raises as `array` does."""
        return Image.fromarray(self.array(nsd_id))

    def _checked_images(self) -> h5py.Dataset:
        images = self._file.get("imgBrick")
        if not isinstance(images, h5py.Dataset):
            raise InputError(self.path, "has no data set imgBrick", _IMAGES_CURE)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
            raise InputError(
                self.path,
                f"imgBrick is {images.dtype} of shape {images.shape} instead of uint8 "
                "(image, row, column, 3)",
                _IMAGES_CURE,
            )
        if images.shape[0] != ids.N_IMAGES:
            raise InputError(
                self.path,
                f"imgBrick holds {images.shape[0]} images instead of {ids.N_IMAGES}",
                _IMAGES_CURE,
            )
        return images


def subject_column(subject: str) -> str:
    """Return the name of a subject's column in the stimulus table: ``subject1``, .."""
    return f"subject{int(subject.removeprefix('subj'))}"


def _check_trials(path: str | os.PathLike[str], table: pd.DataFrame, design: ExpDesign) -> None:
    """Compare the trial numbers of the table (where it has them) with the design."""
    for subject in SUBJECTS:
        names = [f"{subject_column(subject)}_rep{rep}" for rep in _REPETITIONS]
        if not set(names) <= set(table.columns):
            continue
        stated = np.sort(table[names].to_numpy(), axis=1)
        expected = np.full_like(stated, ids.NOT_ASSIGNED)
        shown = trial_nsd_ids(design, subject, ids.N_SESSIONS)
        order = np.argsort(shown, kind="stable").reshape(-1, ids.N_REPETITIONS)
        expected[shown[order[:, 0]]] = ids.trial_number(order)
        wrong = np.flatnonzero((stated != expected).any(axis=1))
        if wrong.size:
            raise InputError(
                path,
                f"gives {wrong.size} images of {subject} other trials than the experiment's design "
                f"(nsdId {wrong[0]}: {stated[wrong[0]].tolist()} instead of "
                f"{expected[wrong[0]].tolist()})",
                _INFO_CURE,
            )
