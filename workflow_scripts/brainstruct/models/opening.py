"""From the manifest of a checkpoint and the settings of a study to a loaded model."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

from brainstruct.models.interface import FeatureModel, ModelOptions, Pooling, Sampling
from brainstruct.models.registry import FAMILIES


def family_class(family: str) -> type[FeatureModel]:
    """Return the class of a model family, whose module is imported only now.

    Raises
    ------
    KeyError
        If the family is not registered.
    """
    entry = FAMILIES[family]
    loaded: type[FeatureModel] = getattr(import_module(entry.module), entry.name)
    return loaded


@dataclass(frozen=True)
class ModelSettings:
    """What decides the states of a model of a study.

    Attributes
    ----------
    family, checkpoint : str
        The code that runs it, and the name of its weights.
    n_layers, random_seed, max_new_tokens, pooling, sampling, dtype
        See `ModelOptions`.
    storage : str
        Precision of stored states.
    """

    family: str
    checkpoint: str
    n_layers: int
    random_seed: int | None
    max_new_tokens: int
    pooling: Pooling
    sampling: Sampling | None
    dtype: str
    storage: Literal["float16", "float32"]


def open_model(folder: Path, settings: ModelSettings, device: str = "auto") -> FeatureModel:
    """Load a model as a study asks.

    Parameters
    ----------
    folder : pathlib.Path
        Its checkpoint.
    settings : ModelSettings
        What decides the model's states.
    device : str
        ``auto``, ``cuda`` or ``cpu``.

    Returns
    -------
    FeatureModel
        Loaded and checked.

    Raises
    ------
    InputError
        If the checkpoint cannot be what the settings say.
    """
    names = ("n_layers", "random_seed", "pooling", "max_new_tokens", "dtype", "sampling")
    options = {name: getattr(settings, name) for name in names}
    return family_class(settings.family).load(
        ModelOptions(checkpoint=folder, device=device, **options)
    )
