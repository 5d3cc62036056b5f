"""States as they are stored: labelled, in half precision, and never silently broken."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from brainstruct.errors import InputError
from brainstruct.models.interface import Features

Storage: TypeAlias = Literal["float16", "float32"]


def label(
    features: Features, ids: Sequence[int], layers: Sequence[int], storage: Storage
) -> xr.Dataset:
    """Label the features of the stimuli `ids` as `empty_block` does; keep some layers.

    An `InputError` if their states are not finite, or too large for `storage`.
    """
    states = features.states.numpy().transpose(1, 0, 2)[list(layers)]
    _require_finite(states, ids, layers)
    _require_range(states, layers, storage)
    block = empty_block(ids, layers, states.shape[2], storage)
    block["embedding"][:] = states.astype(storage)
    # HDF5 strings end at the first NUL, which byte-fallback vocabularies can produce.
    block["response"][:] = [
        text.replace("\0", "\N{REPLACEMENT CHARACTER}") for text in features.responses
    ]
    block["n_tokens"][:] = features.n_tokens.numpy()
    block["truncated"][:] = features.truncated.numpy()
    if features.thinking_share is not None:
        block["thinking_share"] = "stimulus", features.thinking_share.numpy()
    return block


def empty_block(
    ids: Sequence[int] | NDArray[np.int64],
    layers: Sequence[int],
    n_features: int,
    storage: Storage,
) -> xr.Dataset:
    """Return a labelled data set of the right shape, to be filled; `ids` are 0-based."""
    n = len(ids)
    return xr.Dataset(
        {
            "embedding": (
                ("layer", "stimulus", "feature"),
                np.zeros((len(layers), n, n_features), dtype=storage),
                {"long_name": "hidden states, averaged over tokens"},
            ),
            "response": ("stimulus", np.full(n, "", dtype=object)),
            "n_tokens": ("stimulus", np.zeros(n, dtype=np.int32)),
            "truncated": ("stimulus", np.zeros(n, dtype=bool)),
        },
        coords={
            "layer": np.asarray(layers, dtype=np.int64),
            "stimulus": np.asarray(ids, dtype=np.int64),
            "feature": np.arange(n_features),
        },
    )


def _require_finite(states: NDArray[np.float32], ids: Sequence[int], layers: Sequence[int]) -> None:
    """Refuse states [layer, stimulus, feature] that are not finite."""
    broken = ~np.isfinite(states)
    if not broken.any():
        return
    first = layers[np.flatnonzero(broken.any(axis=(1, 2)))[0]]
    stimuli = np.asarray(ids)[broken.any(axis=(0, 2))]
    raise InputError(
        "embedding.dtype",
        f"{broken.sum()} of {broken.size} states are not finite, from layer {first} on, "
        f"in {len(stimuli)} stimuli (first: {stimuli[0]})",
        "Set embedding.dtype: float32 (bfloat16 where memory is short); if it is that already, "
        "the checkpoint is damaged",
    )


def _require_range(states: NDArray[np.float32], layers: Sequence[int], storage: Storage) -> None:
    """Refuse states [layer, stimulus, feature] that `storage` cannot hold."""
    largest = float(np.finfo(storage).max)
    beyond = np.abs(states) > largest
    if not beyond.any():
        return
    first = layers[np.flatnonzero(beyond.any(axis=(1, 2)))[0]]
    raise InputError(
        "embedding.storage",
        f"{beyond.sum()} of {beyond.size} states are too large for {storage} "
        f"(up to {np.abs(states).max():.3g}, limit {largest:.5g}), first in layer {first}",
        "Set embedding.storage: float32",
    )
