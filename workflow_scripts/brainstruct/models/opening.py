"""From the manifest of a checkpoint and the settings of a study to a loaded model."""

from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from brainstruct.models.interface import Deciding, Device, FeatureModel, ModelOptions
from brainstruct.models.registry import FAMILIES


def family_class(family: str) -> type[FeatureModel]:
    """Return the class of a registered model family, whose module is imported only now."""
    entry = FAMILIES[family]
    loaded: type[FeatureModel] = getattr(import_module(entry.module), entry.name)
    return loaded


@dataclass(frozen=True)
class ModelSettings(Deciding):
    """What decides the states of a model of a study as they are stored."""

    family: str
    checkpoint: str  # its name in the study
    n_layers: int
    storage: Literal["float16", "float32"]


def options_of(folder: Path, settings: ModelSettings, device: Device = "auto") -> ModelOptions:
    """Return what a model is loaded with."""
    options = {one.name: getattr(settings, one.name) for one in fields(Deciding)}
    return ModelOptions(folder, settings.n_layers, device, **options)


def open_model(folder: Path, settings: ModelSettings, device: Device = "auto") -> FeatureModel:
    """Load a model as a study asks; an `InputError` if the checkpoint in `folder` cannot be it."""
    return family_class(settings.family).load(options_of(folder, settings, device))


def outline(folder: Path, family: str, n_layers: int | None = None, **options: Any) -> FeatureModel:
    """Build a model without weights, of the small files in a folder; see `ModelOptions.empty`."""
    return family_class(family).load(ModelOptions(folder, n_layers, empty=True, **options))
