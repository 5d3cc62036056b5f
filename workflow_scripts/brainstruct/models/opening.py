"""From the manifest of a checkpoint and the settings of a study to a loaded model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainstruct.models.interface import FeatureModel, ModelOptions, Sampling
from brainstruct.models.registry import family_class


def open_model(folder: Path, settings: Mapping[str, Any], device: str = "auto") -> FeatureModel:
    """Load a model as a study asks.

    Parameters
    ----------
    folder : pathlib.Path
        Its checkpoint.
    settings : mapping
        What decides the model's states: ``family``, ``n_layers``,
        ``random_seed``, ``pooling``, ``max_new_tokens``, ``sampling``
        (`None`: greedy) and ``dtype``.
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
    sampling = settings["sampling"]
    return family_class(settings["family"]).load(
        ModelOptions(
            checkpoint=folder,
            n_layers=settings["n_layers"],
            random_seed=settings["random_seed"],
            pooling=settings["pooling"],
            max_new_tokens=settings["max_new_tokens"],
            sampling=None if sampling is None else Sampling(**sampling),
            device=device,
            dtype=settings["dtype"],
        )
    )
