"""Facts about a finished study, out of the files that were computed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr

from brainstruct.store.arrays import provenance


@dataclass(frozen=True)
class SubjectFacts:
    """What went into the encoding models of a subject."""

    name: str
    sessions: int
    n_train: int  # images that models were fitted on
    n_test: int  # images that they were scored on
    n_mask: int  # voxels in the mask
    n_dead: int  # of these, those dropped because they are constant, or without data, in a session
    n_voxels: int  # those that are left
    n_excluded: int  # of these, those with a noise ceiling under the threshold
    threshold: float | str  # which one that was
    silent_share: float  # of voxels that reach what 5 % should, with images shuffled
    n_saturated: int  # single values at the limits of their integer type, left out
    n_imputed: int  # responses for which no value remained


@dataclass(frozen=True)
class ModelFacts:
    """How a model was run; names as in the configuration."""

    key: str
    label: str
    family: str
    source: str  # of its weights
    revision: str  # commit of the source
    digest: str  # of all files
    n_layers: int  # hidden states
    n_fitted: int  # of these
    n_features: int  # in one of them
    instructions: tuple[str, ...]  # keys; empty if it follows none
    random_seed: int | None  # of its weights, where they were drawn
    prompt: str | None = None  # with {instruction}; `None`: it follows none, or it was not recorded


@dataclass(frozen=True)
class Facts:
    """Everything the text says about what was computed, in the order of the study."""

    subjects: tuple[SubjectFacts, ...]
    models: tuple[ModelFacts, ...]
    # Setting -> the values it had, as `run_facts` collects them: normally one value; a study
    # computed in parts may have more.
    runs: Mapping[str, tuple[str, ...]]
    # How encoding models were fitted, ``seed``, and ``smallest_p`` against chance.
    encoding: Mapping[str, Any]


_SETTINGS = ("dtype", "device", "storage", "pooling", "max_new_tokens", "torch", "transformers")


def subject_facts(responses: xr.Dataset, scores: xr.Dataset, winners: xr.Dataset) -> SubjectFacts:
    """Read the facts about a subject from the attributes of its files.

    Scores and winners are those of any model: images and voxels are the same for all.
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
        threshold=winners.attrs["ceiling_threshold"],
        silent_share=float(attrs["silent_share"]),
        n_saturated=int(attrs["n_saturated"]),
        n_imputed=int(attrs["n_imputed"]),
    )


def model_facts(
    scores: xr.Dataset, *, key: str, label: str, family: str, instructions: Sequence[str]
) -> ModelFacts:
    """Read the facts about a model from the provenance of its scores of any subject."""
    run = provenance(scores)["embedding"]
    checkpoint, prompt = run["checkpoint"], run.get("prompt")
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
        prompt=prompt and prompt.replace(run["instruction"], "{instruction}"),
    )


def run_facts(scores: Iterable[xr.Dataset]) -> dict[str, tuple[str, ...]]:
    """Collect the values that settings and versions had over all scores."""
    found: dict[str, list[str]] = {}
    for dataset in scores:
        origin = provenance(dataset)
        run = origin["embedding"]
        values = {name: run[name] for name in _SETTINGS} | {
            "sampling": _sampling(run["sampling"]),
            "himalaya": origin["himalaya"],
            "brainstruct": dataset.attrs["brainstruct_version"],
        }
        for name, value in values.items():
            found.setdefault(name, []).append(str(value))
    return {name: tuple(dict.fromkeys(values)) for name, values in found.items()}


def _sampling(options: Mapping[str, Any] | None) -> str:
    if options is None:
        return "greedy"
    given = ", ".join(f"{name} {value}" for name, value in options.items() if value is not None)
    return f"sampling ({given})"
