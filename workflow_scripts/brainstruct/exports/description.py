"""What a dataset of derivatives says of itself: description, participants, read-me."""

from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct import __version__
from brainstruct.brain.ceilings import Threshold, usable_ceiling
from brainstruct.datasets.interface import DataSet
from brainstruct.exports.sidecars import TEXTS
from brainstruct.store.resources import text_beside
from brainstruct.store.texts import markdown

IGNORED = ("**/*_statmap.*", "**/*_hemi-*", "tables", "tables/**")
"""What BIDS does not define yet; for ``.bidsignore``."""


def dataset_description(
    study: str, dataset: DataSet, *, synthetic: bool, snakemake: str, codes: Mapping[str, str]
) -> dict[str, Any]:
    """Build ``dataset_description.json``.

    No licence is stated: whoever shares the maps has to settle it with the terms
    of the data set. `codes` has the identity of the code of each stage of the export.
    """
    about = dataset.about
    cited = f"{about.name} (doi:{about.doi})" if about.doi else about.name
    paper = [f"https://doi.org/{about.doi}"] if about.doi else []
    stages = ", ".join(f"{stage} {code}" for stage, code in codes.items())
    content: dict[str, Any] = {
        "Name": f"{study}: brain alignment of instruction-tuned multimodal models",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [
            {
                "Name": "brainstruct",
                "Version": __version__,
                "Description": "Voxelwise encoding models from the hidden states of multimodal "
                f"models. Code of the stages that wrote this (hashes): {stages}.",
            },
            {"Name": "Snakemake", "Version": snakemake},
        ],
        "HowToAcknowledge": f"Please cite the {cited} and the paper "
        "that this analysis reproduces and extends (arXiv:2505.20029).",
        "ReferencesAndLinks": [*paper, "https://arxiv.org/abs/2505.20029"],
    }
    if synthetic:
        return {**content, "Name": f"{content['Name']} (synthetic data)"}
    source = {"DOI": f"doi:{about.doi}"} if about.doi else {}
    source |= {"URL": about.url} if about.url else {}
    return (
        content
        | ({"SourceDatasets": [source]} if source else {})
        | ({"DatasetLinks": {about.key: about.files}} if about.files else {})
    )


def participants(
    spaces: Mapping[str, xr.Dataset],
    scores: Mapping[str, xr.Dataset],
    dataset: DataSet,
    *,
    ceiling: str,
    threshold: Threshold,
) -> pd.DataFrame:
    """Tabulate the subjects, given each one's voxels and ceilings, and its scores of any model.

    `ceiling` is the kind that scores are divided by; voxels under the threshold are excluded.
    """
    rows = []
    for subject, space in spaces.items():
        usable = usable_ceiling(space, ceiling, threshold)
        rows.append(
            {
                "participant_id": f"sub-{dataset.participant(subject)}",
                f"{dataset.about.key}_subject": subject,
                "sessions": int(space.attrs["sessions"]),
                "n_train": int(scores[subject].attrs["n_train"]),
                "n_test": int(scores[subject].attrs["n_test"]),
                "n_mask_voxels": int(space.attrs["n_mask_voxels"]),
                "n_voxels": int(space.attrs["n_voxels"]),
                "n_excluded": int(np.isnan(usable).sum()),
            }
        )
    return pd.DataFrame(rows)


def read_me(
    study: str,
    dataset: DataSet,
    *,
    synthetic: bool,
    models: Sequence[Mapping[str, Any]],
    labels: Mapping[str, str],
    instructions: Mapping[str, Mapping[str, str]],
    surfaces: Mapping[str, str],
) -> str:
    """Fill ``readme.md``.

    Models have ``key`` and ``label``, `labels` says what they are called in names of files.
    Instructions are key -> ``task`` and ``text``; `surfaces` says on which ones a subject's
    maps are.
    """
    named = [
        f"| `{labels[one['key']]}` | `{one['key']}` | {markdown(one['label'])} |" for one in models
    ]
    told = [
        f"| `{key}` | {markdown(one['task'])} | {markdown(one['text'])} |"
        for key, one in instructions.items()
    ]
    if told:
        told = ["| Instruction | Task | Text |", "|---|---|---|", *told, "\n"]
    places = [
        f"- sub-{dataset.participant(subject)}: {words}." for subject, words in surfaces.items()
    ]
    space, about = dataset.volume_space, dataset.about
    lies = TEXTS["volumes" if dataset.lie == "volume" else "nowhere"]
    return Template(text_beside(__file__, "readme.md")).substitute(
        study=study,
        version=__version__,
        warning=f"**{TEXTS['synthetic'].format(key=about.key.upper())}**\n\n" if synthetic else "",
        data="made-up data" if synthetic else f"the {about.name}",
        task=about.task,
        space=space,
        spaces=Template(_said(dataset, "spaces.md", lies)).substitute(space=space),
        licence=_said(dataset, "licence.md", TEXTS["licence"]),
        models="\n".join(named),
        instructions="\n".join(told),
        surfaces="\n".join(places),
    )


def _said(dataset: DataSet, name: str, otherwise: str) -> str:
    """Return what the data set says of itself, or else what holds for any."""
    path = dataset.text(name)
    return path.read_text(encoding="utf-8").rstrip("\n") if path else otherwise
