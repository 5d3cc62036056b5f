"""The model families; a family's module is imported only when it is asked for.

Adding a family takes one module and one line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from brainstruct.models.interface import FeatureModel

Modality: TypeAlias = Literal["image+instruction", "image", "text"]


@dataclass(frozen=True)
class Family:
    """Where a family lives and what it embeds.

    Attributes
    ----------
    module, name : str
        Module and class.
    modality : str
        ``image+instruction`` (follows instructions), ``image`` or ``text``
        (the image's golden captions).
    """

    module: str
    name: str
    modality: Modality


FAMILIES: dict[str, Family] = {
    "instructblip": Family("brainstruct.models.instructblip", "InstructBlip", "image+instruction"),
    "mplug-owl": Family("brainstruct.models.mplug_owl", "MPlugOwl", "image+instruction"),
    "idefics": Family("brainstruct.models.idefics", "Idefics", "image+instruction"),
    "llava": Family("brainstruct.models.llava", "Llava", "image+instruction"),
    "vit": Family("brainstruct.models.vit", "VisionTransformer", "image"),
    "clip-image": Family("brainstruct.models.clip", "ClipImage", "image"),
    "clip-text": Family("brainstruct.models.clip", "ClipText", "text"),
}


def family_class(family: str) -> type[FeatureModel]:
    """Return the class of a model family.

    Raises
    ------
    KeyError
        If the family is not registered.
    """
    entry = FAMILIES[family]
    loaded: type[FeatureModel] = getattr(import_module(entry.module), entry.name)
    return loaded
