"""The ``data`` block: which data set is studied, and which part of it."""

from functools import cached_property
from typing import Any, Self

from pydantic import Field, PositiveInt, ValidationError, model_validator

from brainstruct.config.words import problems_of
from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.settings import MASK, NsdSettings
from brainstruct.datasets.opening import class_of
from brainstruct.errors import InputError
from brainstruct.settings.base import Name


class Data(NsdSettings):
    """Which data set the study uses, and what of it.

    Attributes
    ----------
    dataset : str
        ``nsd``, or a data set of your own: ``path/to/file.py:Class``. Of the keys
        here it has `mask`, `rois` and `images_per_block`; the others are the NSD's.
    settings : mapping
        Settings of a data set of your own, by the names of its fields.
    mask : str
        ROI volume whose voxels with any label (above 0) are analysed.
    rois : list of str
        ROI volumes whose labels are scored.
    images_per_block : int
        Images that one embedding job goes through.
    """

    dataset: str = Nsd.origin
    settings: dict[str, Any] = {}
    mask: Name = MASK
    rois: list[Name] = Field(min_length=1)
    images_per_block: PositiveInt = 9000

    @cached_property
    def opened(self) -> DataSet:
        """The data set itself."""
        if self.dataset == Nsd.origin:
            return Nsd.model_validate(self.model_dump(include=set(NsdSettings.model_fields)))
        return class_of(self.dataset).model_validate(self.settings)

    @model_validator(mode="after")
    def _settings_suit(self) -> Self:
        if self.dataset == Nsd.origin and self.settings:
            raise ValueError("settings: are those of a data set of your own, named by 'dataset'")
        try:
            assert self.opened  # whose fields are checked like all others
        except ValidationError as error:
            faults = (
                f"{'.'.join(map(str, ('settings', *place)))}: {text}"
                for place, texts in problems_of(error, class_of(self.dataset)).items()
                for text in texts
            )
            raise ValueError("\n".join(faults)) from None
        except InputError as error:
            raise ValueError(f"dataset: {str(error).removeprefix('data.dataset: ')}") from None
        return self
