"""From the folder of a checkpoint and the settings of a study to a loaded model."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from brainstruct.models.interface import FeatureModel, ModelOptions, Sampling
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


def open_model(folder: Path, settings: Mapping[str, Any], device: str = "auto") -> FeatureModel:
    """Load a model as a study asks.

    Parameters
    ----------
    folder : pathlib.Path
        Its checkpoint.
    settings : mapping
        ``family``, and the options that decide the model's states; what else it
        holds is not looked at.
    device : str
        ``auto``, ``cuda`` or ``cpu``.

    Raises
    ------
    InputError
        If the checkpoint cannot be what the settings say.
    """
    names = ("n_layers", "random_seed", "pooling", "max_new_tokens", "dtype")
    sampling = settings["sampling"]
    options = ModelOptions(
        checkpoint=folder,
        device=device,
        sampling=None if sampling is None else Sampling(**sampling),
        **{name: settings[name] for name in names},
    )
    return family_class(settings["family"]).load(options)
