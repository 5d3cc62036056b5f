"""Lists of images: what a subject saw, and what one embedding job goes through."""

import os

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype

from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.reading import Reader
from brainstruct.errors import InputError
from brainstruct.store.files import rebuild
from brainstruct.store.tables import read_table

TRAIN, TEST = "train", "test"
"""Roles of an image: encoding models are fitted to the ones and scored on the others."""


def image_list(dataset: DataSet, reader: Reader, subject: str) -> pd.DataFrame:
    """List the images that a subject saw, one row each, ascending id.

    Columns are the id, as the data set calls it; ``split``, `TRAIN` or `TEST`, and
    ``test_set``, of which test set; ``repetitions``; ``trials``, counted from 0 in the order
    of `Reader.trials`, separated by commas; and the data set's own.
    """
    shown = reader.trials(subject)["stimulus"]
    trials = pd.Series(np.arange(shown.size).astype(str)).groupby(shown.to_numpy()).agg(",".join)
    sets = [reader.stimuli(name) for name in dataset.image_sets_of(subject)]
    source = pd.concat(sets).set_index("stimulus").loc[trials.index]
    return pd.DataFrame(
        {
            dataset.id_name: trials.index.to_numpy(dtype=np.int64),
            "split": np.where(source["test_set"] == "", TRAIN, TEST),
            "test_set": source["test_set"].replace("", None).to_numpy(dtype=object),
            "repetitions": np.unique(shown, return_counts=True)[1].astype(np.int64),
            "trials": trials.to_numpy(dtype=str),
            **{name: source[name].to_numpy() for name in dataset.own_columns},
        }
    )


def block_list(
    dataset: DataSet, reader: Reader, image_set: str, index: int, images: int
) -> pd.DataFrame:
    """List the images of a block: every image belongs to exactly one, whoever saw it.

    What all subjects saw is an image set of its own, so it is embedded once and not
    once per subject. Blocks are cut from the images that the design plans, so their
    number does not depend on how much was measured. `index` counts them from 0, `images` are
    those planned per block. Columns are the id, as the data set calls it, and its own.
    An `InputError` if none of the block's images was shown.
    """
    planned = reader.stimuli(image_set)
    block = planned.iloc[index * images : (index + 1) * images]
    shown = block.loc[block["shown"], ["stimulus", *dataset.own_columns]]
    if shown.empty:
        raise InputError(
            f"data.images_per_block = {images}",
            f"block {index} of {image_set} holds no image that was shown",
            "Make blocks larger",
        )
    return shown.rename(columns={"stimulus": dataset.id_name})


def read_image_list(path: str | os.PathLike[str], dataset: DataSet) -> pd.DataFrame:
    """Read what `image_list` made and a rule wrote; ids are in ``stimulus``."""
    columns = [dataset.id_name, "split", "test_set", "repetitions"]
    table = read_table(path, columns, dtype={"trials": str})
    found = _by_stimulus(path, table, dataset)
    found["test_set"] = found["test_set"].astype(object).fillna("")
    return found


def read_block(path: str | os.PathLike[str], dataset: DataSet) -> pd.DataFrame:
    """Read what `block_list` made and a rule wrote; ids are in ``stimulus``."""
    return _by_stimulus(path, read_table(path, [dataset.id_name, *dataset.own_columns]), dataset)


def _by_stimulus(
    path: str | os.PathLike[str], table: pd.DataFrame, dataset: DataSet
) -> pd.DataFrame:
    """Give the ids the name that they have everywhere, if they are ids, and each is there once."""
    ids = table[dataset.id_name]
    if not is_integer_dtype(ids) or (ids < 0).any() or ids.duplicated().any():
        fault = f"{dataset.id_name} holds what is no id, or one twice"
        raise InputError(path, fault, rebuild(path))
    return table.rename(columns={dataset.id_name: "stimulus"})
