"""The NSD as jobs read it, for tests that write one: image lists and averaged responses."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from brainstruct.datasets.averaging import average_betas
from brainstruct.datasets.lists import image_list
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.reader import NsdReader


def open_nsd(layout: Layout, **settings: object) -> Nsd:
    """Return the data set that has this layout."""
    return Nsd.model_validate({"nsd_root": str(layout.nsd_root), **settings})


def index_of(layout: Layout, subject: str, **settings: object) -> pd.DataFrame:
    """The image list of a subject, with ids in ``nsd_id``; `sessions`: betas need not be there."""
    dataset = open_nsd(layout, **settings).lenient()
    return image_list(dataset, NsdReader(dataset), subject)


def as_read(index: pd.DataFrame) -> pd.DataFrame:
    """The same as jobs read it from disk, with ids in ``stimulus``."""
    images = index.rename(columns={"nsd_id": "stimulus"})
    return images.assign(test_set=images["test_set"].fillna(""))


def prepare(layout: Layout, subject: str, **settings: object) -> xr.Dataset:
    """Responses of a subject, as rule prepare_responses makes them."""
    images = as_read(index_of(layout, subject, **settings))
    reader = NsdReader(open_nsd(layout, **settings))
    return average_betas(reader, subject, images, mask="nsdgeneral")
