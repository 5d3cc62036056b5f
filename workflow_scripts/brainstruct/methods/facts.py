"""Facts about a finished study, out of the files that were computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr

from brainstruct.store.arrays import provenance


@dataclass(frozen=True)
class SubjectFacts:
    """What went into the encoding models of a subject; all but the name are counts.

    Attributes
    ----------
    name : str
        Subject.
    sessions : int
        Sessions read.
    n_train, n_test : int
        Images that models were fitted on and scored on.
    n_mask, n_dead, n_voxels : int
        Voxels in the mask, those dropped because they are constant in a
        session, and those that are left.
    n_excluded : int
        Voxels with a noise ceiling under the threshold.
    n_saturated, n_imputed : int
        Single values at the limits of their integer type, which were left out,
        and responses for which no value remained.
    """

    name: str
    sessions: int
    n_train: int
    n_test: int
    n_mask: int
    n_dead: int
    n_voxels: int
    n_excluded: int
    n_saturated: int
    n_imputed: int


@dataclass(frozen=True)
class ModelFacts:
    """How a model was run; names as in the configuration.

    Attributes
    ----------
    key, label, family : str
        Of the model.
    source, revision, digest : str
        Where its weights came from, the commit, and a hash of all files.
    n_layers, n_fitted, n_features : int
        Hidden states, those that were fitted, and their length.
    instructions : tuple of str
        Keys of its instructions; empty if it follows none.
    random_seed : int or None
        Seed of its weights, where they were drawn.
    """

    key: str
    label: str
    family: str
    source: str
    revision: str
    digest: str
    n_layers: int
    n_fitted: int
    n_features: int
    instructions: tuple[str, ...]
    random_seed: int | None


@dataclass(frozen=True)
class Facts:
    """Everything the text says about what was computed.

    Attributes
    ----------
    subjects, models : tuple
        In the order of the study.
    runs : mapping
        Setting -> the values it had, text, each once: ``dtype``, ``device``,
        ``storage``, ``pooling``, ``max_new_tokens``, ``sampling``, ``torch``,
        ``transformers``, ``himalaya``, ``brainstruct``. Normally one value; a
        study computed in parts may have more.
    encoding : Mapping
        How encoding models were fitted, and ``seed``.
    """

    subjects: tuple[SubjectFacts, ...]
    models: tuple[ModelFacts, ...]
    runs: Mapping[str, tuple[str, ...]]
    encoding: Mapping[str, Any]


def subject_facts(responses: xr.Dataset, scores: xr.Dataset, winners: xr.Dataset) -> SubjectFacts:
    """Read the facts about a subject from the attributes of its files.

    Parameters
    ----------
    responses, scores, winners : xarray.Dataset
        Of one subject and, for the last two, one model: images and voxels are
        the same for all.
    """
    attrs = responses.attrs
    return SubjectFacts(
        name=str(attrs["subject"]),
        sessions=int(attrs["sessions"]),
        n_train=int(scores.attrs["n_train"]),
        n_test=int(scores.attrs["n_test"]),
        n_mask=int(attrs["n_mask_voxels"]),
        n_dead=int(attrs["n_dead_voxels"]),
        n_voxels=int(attrs["n_voxels"]),
        n_excluded=int(winners.attrs["n_excluded"]),
        n_saturated=int(attrs["n_saturated"]),
        n_imputed=int(attrs["n_imputed"]),
    )


def model_facts(
    scores: xr.Dataset, *, key: str, label: str, family: str, instructions: Sequence[str]
) -> ModelFacts:
    """Read the facts about a model from the provenance of its scores.

    Parameters
    ----------
    scores : xarray.Dataset
        Of the model and any subject.
    key, label, family : str
        Of the model.
    instructions : sequence of str
        Keys; empty if the model follows none.
    """
    run = provenance(scores)["embedding"]
    checkpoint = run["checkpoint"]
    return ModelFacts(
        key=key,
        label=label,
        family=family,
        source=str(checkpoint["source"]),
        revision=str(checkpoint["revision"]),
        digest=str(checkpoint["digest"]),
        n_layers=int(run["n_layers"]),
        n_fitted=int(scores.sizes["layer"]),
        n_features=int(run["feature_dim"]),
        instructions=tuple(instructions),
        random_seed=run["random_seed"],
    )


def run_facts(scores: Iterable[xr.Dataset]) -> dict[str, tuple[str, ...]]:
    """Collect the values that settings and versions had over all scores."""
    found: dict[str, dict[str, None]] = {}
    names = ("dtype", "device", "storage", "pooling", "max_new_tokens", "sampling", "torch")
    for dataset in scores:
        origin = provenance(dataset)
        run = origin["embedding"]
        values = {name: run[name] for name in (*names, "transformers")}
        values |= {
            "sampling": _sampling(run["sampling"]),
            "himalaya": origin["himalaya"],
            "brainstruct": dataset.attrs["brainstruct_version"],
        }
        for name, value in values.items():
            found.setdefault(name, {})[str(value)] = None
    return {name: tuple(values) for name, values in found.items()}


def _sampling(options: Mapping[str, Any] | None) -> str:
    if options is None:
        return "greedy"
    given = ", ".join(f"{name} {value}" for name, value in options.items() if value is not None)
    return f"sampling ({given})"
