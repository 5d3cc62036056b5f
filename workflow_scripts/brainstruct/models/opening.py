"""From the manifest of a checkpoint and the settings of a study to a loaded model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from brainstruct.models.interface import FeatureModel, ModelOptions, Pooling, Sampling
from brainstruct.models.registry import family_class


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
    return family_class(settings.family).load(
        ModelOptions(
            checkpoint=folder,
            n_layers=settings.n_layers,
            random_seed=settings.random_seed,
            pooling=settings.pooling,
            max_new_tokens=settings.max_new_tokens,
            sampling=settings.sampling,
            device=device,
            dtype=settings.dtype,
        )
    )
