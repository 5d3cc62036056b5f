"""What a dataset of derivatives says of itself: description, participants, read-me."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import xarray as xr

from brainstruct import __version__
from brainstruct.brain.ceilings import can_be_divided_by
from brainstruct.exports.names import TASK, participant

BIDS_VERSION = "1.10.0"

NSD_DOI = "doi:10.1038/s41593-021-00962-x"
"""Of the paper that describes the NSD; the data set itself has none."""

NSD_BUCKET = "s3://natural-scenes-dataset"

IGNORED = ("**/*_statmap.*", "**/*_hemi-*", "tables", "tables/**")
"""What BIDS does not define yet; for ``.bidsignore``."""

_SYNTHETIC = (
    "Made-up data: this study analysed a synthetic data set in the NSD's formats. Nothing in it "
    "was measured in a brain."
)


def dataset_description(
    study: str, *, synthetic: bool, snakemake: str, codes: Mapping[str, str]
) -> dict[str, Any]:
    """Build ``dataset_description.json``.

    No licence is stated: whoever shares the maps has to settle it with the terms
    of the NSD.

    Parameters
    ----------
    study : str
        Name of the study.
    synthetic : bool
        Whether its data were made up.
    snakemake : str
        Version of Snakemake.
    codes : mapping
        Stage of the export -> identity of its code.
    """
    stages = ", ".join(f"{stage} {code}" for stage, code in codes.items())
    content: dict[str, Any] = {
        "Name": f"{study}: brain alignment of instruction-tuned multimodal models",
        "BIDSVersion": BIDS_VERSION,
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
        "HowToAcknowledge": "Please cite the Natural Scenes Dataset "
        "(doi:10.1038/s41593-021-00962-x) and the paper that this analysis reproduces and extends "
        "(arXiv:2505.20029).",
        "ReferencesAndLinks": [
            "https://doi.org/10.1038/s41593-021-00962-x",
            "https://arxiv.org/abs/2505.20029",
        ],
    }
    if synthetic:
        return {**content, "Name": f"{content['Name']} (synthetic data)"}
    return content | {
        "SourceDatasets": [{"DOI": NSD_DOI, "URL": "https://naturalscenesdataset.org"}],
        "DatasetLinks": {"nsd": NSD_BUCKET},
    }


def participants(
    spaces: Mapping[str, xr.Dataset],
    scores: Mapping[str, xr.Dataset],
    *,
    ceiling: str,
    threshold: float,
) -> pd.DataFrame:
    """Tabulate the subjects.

    Parameters
    ----------
    spaces, scores : mapping
        Subject -> its voxels and ceilings; its scores of any model.
    ceiling : str
        Kind of the noise ceiling that scores are divided by.
    threshold : float
        Voxels with a smaller one are excluded.
    """
    rows = []
    for subject, space in spaces.items():
        reliable = can_be_divided_by(space[f"ceiling_{ceiling}"], threshold)
        rows.append(
            {
                "participant_id": f"sub-{participant(subject)}",
                "nsd_subject": subject,
                "sessions": int(space.attrs["sessions"]),
                "n_train": int(scores[subject].attrs["n_train"]),
                "n_test": int(scores[subject].attrs["n_test"]),
                "n_mask_voxels": int(space.attrs["n_mask_voxels"]),
                "n_voxels": int(space.attrs["n_voxels"]),
                "n_excluded": int((~reliable).sum()),
            }
        )
    return pd.DataFrame(rows)


def read_me(
    study: str,
    *,
    synthetic: bool,
    space: str,
    models: Sequence[Mapping[str, Any]],
    labels: Mapping[str, str],
    instructions: Mapping[str, Mapping[str, str]],
    surfaces: Mapping[str, str],
) -> str:
    """Write ``README.md``.

    Parameters
    ----------
    study : str
        Name of the study.
    synthetic : bool
        Whether its data were made up.
    space : str
        Functional preparation: ``func1pt8mm``.
    models : sequence of mapping
        ``key`` and ``label``.
    labels : mapping
        Key of a model -> what it is called in names of files.
    instructions : mapping
        Key -> ``task`` and ``text``.
    surfaces : mapping
        Subject -> on which surfaces its maps are.
    """
    lines = [
        f"# {study}: brain alignment of instruction-tuned multimodal models",
        "",
        *([f"**{_SYNTHETIC}**", ""] if synthetic else []),
        f"Derivatives of {'made-up data' if synthetic else 'the Natural Scenes Dataset'} in the "
        f"layout of BIDS derivatives, written by brainstruct {__version__}. A JSON file beside "
        "each map says what it is, how it was made and of what; one beside each table describes "
        "its columns.",
        "",
        "## Names",
        "",
        f"`sub-01/func/sub-01_task-{TASK}_space-{space}_stat-alignment_desc-<model>Mean_statmap.nii.gz`",
        "",
        "| `desc` | Content |",
        "|---|---|",
        "| `<model>ByInstruction` | four-dimensional: one volume per instruction, in the order of "
        "`Volumes` in the JSON file |",
        "| `<model>Mean` | all instructions together |",
        "| `<model>` | models with one instruction, or none |",
        "| `<model>Winner` | the winning instruction of each voxel |",
        "| `<model>WinningInstruction`, `<model>WinningLayer` | numbers (`dseg`), explained by the "
        "TSV file beside; 0: none. Layers count from 0, so their number is index - 1 |",
        "| `ncsnr`, `crosssubject` | noise ceilings |",
        "| `analysed`, `reliable` | masks: analysed voxels, and those above the ceiling's "
        "threshold |",
        "",
        "| `stat` | Value |",
        "|---|---|",
        "| `alignment` | Pearson's r on the test images, divided by the noise ceiling |",
        "| `r` | Pearson's r on the test images |",
        "| `p`, `q` | permutation p (one-sided), and after control of the false discovery rate "
        "over voxels |",
        "| `margin` | alignment of the winner minus that of the runner-up |",
        "| `noiseceiling` | best possible r |",
        "",
        "Maps of models are NaN (or 0) outside the analysed voxels and where the noise ceiling is "
        "under its threshold.",
        "",
        "| `<model>` | Key in tables | Model |",
        "|---|---|---|",
        *(f"| `{labels[one['key']]}` | `{one['key']}` | {one['label']} |" for one in models),
        "",
        *(
            [
                "| Instruction | Task | Text |",
                "|---|---|---|",
                *(
                    f"| `{key}` | {one['task']} | {one['text']} |"
                    for key, one in instructions.items()
                ),
                "",
            ]
            if instructions
            else []
        ),
        "## Spaces",
        "",
        f"Volumes are on the grid of the subject's own functional volumes, `{space}` of the NSD, "
        "with their affine. That space is neither anatomical nor MNI: overlay the maps on the "
        f"NSD's `nsddata/ppdata/subjXX/{space}/mean.nii.gz`, and use the NSD's transforms "
        "(nsdcode) to go elsewhere.",
        "",
        *(f"- sub-{participant(subject)}: {words}." for subject, words in surfaces.items()),
        "",
        "## Tables",
        "",
        "`tables/` holds the study's tables, `participants.tsv` the subjects, `stimuli/` the "
        "images that each subject saw.",
        "",
        "## Licence and citation",
        "",
        "No licence is stated. Access to the NSD is bound to its data sharing and usage agreement; "
        "whether and how maps made of it may be passed on is for you to settle before you share "
        "this dataset. Then add `License` and `Authors` to `dataset_description.json`. Cite the "
        "NSD (https://doi.org/10.1038/s41593-021-00962-x) and the models you ran.",
        "",
    ]
    return "\n".join(lines)
