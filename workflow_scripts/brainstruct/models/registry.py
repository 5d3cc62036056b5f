"""Family name -> class, imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from brainstruct.models.interface import FeatureModel

FAMILIES: dict[str, str] = {
    "instructblip": "brainstruct.models.instructblip:InstructBlip",
    "vit": "brainstruct.models.vit:VisionTransformer",
    "clip-image": "brainstruct.models.clip:ClipImage",
    "clip-text": "brainstruct.models.clip:ClipText",
}


def family_class(family: str) -> type[FeatureModel]:
    """Return the class of a model family.

    Raises
    ------
    KeyError
        If the family is not registered.
    """
    module, name = FAMILIES[family].split(":")
    loaded: type[FeatureModel] = getattr(import_module(module), name)
    return loaded
