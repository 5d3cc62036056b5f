"""What the file beside a map says: what it is, how it was made, and of what."""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import xarray as xr

from brainstruct import __version__
from brainstruct.datasets.interface import DataSet
from brainstruct.store.arrays import provenance
from brainstruct.store.resources import table_beside

TEXTS: dict[str, str] = table_beside(__file__, "texts.toml")
"""What exported files say in sentences; some have braces to be filled in."""

_LOCAL = "local"
"""Revision of checkpoints that lie in a folder of the user's."""


def subject_facts(space: xr.Dataset, ceiling: xr.DataArray, *, preferred: str) -> dict[str, Any]:
    """Return what all maps of a subject share.

    `space` has the attributes of `estimate_ceiling`; scores are divided by `ceiling`, of the
    kind `preferred`, see `brainstruct.brain.ceilings.usable_ceiling`.
    """
    attrs = space.attrs
    return {
        "NoiseCeiling": {
            "Kind": preferred,
            "Threshold": ceiling.attrs["threshold"],
            "Description": TEXTS[preferred],
        },
        "NumberOfVoxels": int(attrs["n_voxels"]),
        "NumberOfExcludedVoxels": int(ceiling.isnull().sum()),
        "NumberOfTestImages": int(attrs["n_test_images"]),
        "NumberOfSessions": int(attrs["sessions"]),
        "Mask": str(attrs["mask"]),
        "Betas": f"{attrs['space']}/{attrs['betas']}",
        "Software": {"Name": "brainstruct", "Version": __version__},
    }


def model_facts(scores: xr.Dataset, *, key: str, label: str) -> dict[str, Any]:
    """Return what all maps of a model share; folders of the user's machine are left out."""
    origin = provenance(scores)
    run = origin["embedding"]
    checkpoint = run["checkpoint"]
    source = str(checkpoint["source"])
    return {
        "Model": {
            "Key": key,
            "Label": label,
            "Family": run["family"],
            "Checkpoint": PurePath(source).name if checkpoint["revision"] == _LOCAL else source,
            "Revision": checkpoint["revision"],
            "Digest": checkpoint["digest"],
            "RandomSeed": run["random_seed"],
            "NumberOfHiddenStates": int(run["n_layers"]),
            "FittedLayers": [int(layer) for layer in scores["layer"].values],
            "Pooling": run["pooling"],
            "Precision": run["dtype"],
        },
        "EncodingModel": {
            "Description": TEXTS["encoding"],
            **{name: value for name, value in origin["encoding"].items() if value is not None},
            "seed": origin["seed"],
            "himalaya": origin["himalaya"],
        },
        "NumberOfTrainingImages": int(scores.attrs["n_train"]),
        "NumberOfTestImages": int(scores.attrs["n_test"]),
        "NumberOfPermutations": int(scores.attrs["n_permutations"]),
        "CodeOfStages": {
            "responses": origin["responses"]["code"],
            "embed": run["embed_code"],
            "fit_ridge": origin["fit_code"],
        },
    }


def reference(dataset: DataSet, file: Path, *, synthetic: bool) -> str:
    """Name a file of the data set, as a BIDS URI; see ``DatasetLinks`` of the description."""
    path = file.relative_to(dataset.root).as_posix()
    return f"{path} of the synthetic data set" if synthetic else f"bids:{dataset.about.key}:{path}"


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Merge sidecars; mappings inside them are merged too, later ones win."""
    whole: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if isinstance(value, Mapping) and isinstance(whole.get(name), dict):
                whole[name] = {**whole[name], **value}
            else:
                whole[name] = value
    return whole
