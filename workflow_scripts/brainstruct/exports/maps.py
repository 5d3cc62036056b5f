"""The maps of a subject that others get, voxel by voxel, each with what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.brain.ceilings import can_be_divided_by
from brainstruct.encoding.alignment import NO_WINNER, normalise, select_layers
from brainstruct.encoding.fdr import benjamini_hochberg
from brainstruct.encoding.significance import combine_p, selected_p

Suffix = Literal["statmap", "dseg", "mask"]

NOTHING = 0
"""Index of voxels without a label in a ``dseg`` map, as BIDS and atlases have it."""

LAYER_RULES = {
    "best": "Per voxel and instruction, the layer with the best cross-validation score on the "
    "training images; test images have no part in the choice.",
    "mean": "Mean over all fitted layers of a voxel and instruction.",
}


@dataclass(frozen=True)
class VoxelMap:
    """One map, or several of one kind (one per instruction).

    Attributes
    ----------
    suffix : str
        ``statmap`` (numbers, NaN where there is none), ``dseg`` (indices into
        `labels`, `NOTHING` where there is none) or ``mask``.
    desc : str
        Its ``desc`` entity.
    values : xarray.DataArray
        (voxel), or (volume, voxel), with the voxel coordinates i, j, k.
    sidecar : mapping
        What is particular about it.
    stat : str, optional
        Its ``stat`` entity.
    labels : pandas.DataFrame, optional
        Of a ``dseg``: index, name, color and further columns.
    """

    suffix: Suffix
    desc: str
    values: xr.DataArray
    sidecar: Mapping[str, Any]
    stat: str | None = None
    labels: pd.DataFrame | None = None
    names: Sequence[str] = field(default=())
    """Of the volumes, if there are several."""


def subject_maps(space: xr.Dataset, preferred: str, threshold: float) -> Iterator[VoxelMap]:
    """Make the maps that no model has a part in.

    Parameters
    ----------
    space : xarray.Dataset
        ``ceiling_...`` with dim voxel and coordinates i, j, k.
    preferred : str
        Name of the ceiling that scores are divided by.
    threshold : float
        Voxels with a smaller one are excluded.
    """
    ceiling = space[f"ceiling_{preferred}"]
    yield VoxelMap(
        "mask",
        "analysed",
        xr.ones_like(ceiling, dtype=np.uint8),
        {
            "Description": "Voxels that were analysed: those of the mask that are constant in no "
            "session.",
            "Type": "ROI",
        },
    )
    yield VoxelMap(
        "mask",
        "reliable",
        can_be_divided_by(ceiling, threshold).astype(np.uint8),
        {
            "Description": "Voxels that were analysed and whose noise ceiling reaches the "
            "threshold; all maps of models are NaN elsewhere.",
            "Type": "ROI",
        },
    )
    for name in space.data_vars:
        kind = str(name).removeprefix("ceiling_")
        if kind != name:
            yield VoxelMap(
                "statmap",
                "".join(kind.split("_")),
                space[name],
                {
                    "Description": "Noise ceiling: the best correlation a perfect model could "
                    "reach. NaN outside the analysed voxels; no voxel is excluded.",
                    "Units": "correlation",
                    "NoiseCeilingKind": kind,
                    "UsedForNormalisation": kind == preferred,
                },
                stat="noiseceiling",
            )


def model_maps(
    scores: xr.Dataset,
    winners: xr.Dataset,
    ceiling: xr.DataArray,
    *,
    name: str,
    rule: Literal["best", "mean"],
    threshold: float,
    instructions: Mapping[str, Mapping[str, str]],
    colours: Mapping[str, str],
    layer_colours: Sequence[str],
) -> Iterator[VoxelMap]:
    """Make the maps of one model.

    Parameters
    ----------
    scores : xarray.Dataset
        ``r``, ``cv_score`` and ``p`` with dims instruction, layer, voxel.
    winners : xarray.Dataset
        ``instruction_index``, ``layer``, ``alignment``, ``margin`` with dim voxel.
    ceiling : xarray.DataArray
        Noise ceiling as a correlation, dim voxel.
    name : str
        The model in entities, see `brainstruct.exports.names.word`.
    rule : str
        How the layers of a voxel became one number.
    threshold : float
        Voxels with a smaller ceiling are NaN in all maps.
    instructions : mapping
        Key -> ``task`` and ``text``; empty if the model follows none.
    colours : mapping
        Key of an instruction -> hexadecimal colour.
    layer_colours : sequence of str
        One per hidden state of the model.

    Notes
    -----
    Written as the tables are: alignment of the mean is that of the mean *r*,
    and p of several instructions is twice the mean of their p.
    """
    keys = [str(key) for key in scores["instruction"].values]
    reliable = can_be_divided_by(ceiling, threshold)
    reduced = select_layers(scores, rule)
    r = reduced["r"].where(reliable)
    alignment = normalise(r, ceiling, threshold)
    by_instruction = {"alignment": alignment, "r": r}
    mean = {"alignment": alignment.mean("instruction"), "r": r.mean("instruction")}
    if int(scores.attrs["n_permutations"]) > 0:
        p = selected_p(scores, rule).where(reliable)
        together = combine_p(p, "instruction")
        by_instruction |= {"p": p, "q": _q_values(p)}
        mean |= {"p": together, "q": _q_values(together)}
    volumes = [
        {"Index": index, "Instruction": key, **_spelt(instructions.get(key))}
        for index, key in enumerate(keys)
    ]
    selected = {"LayerSelection": LAYER_RULES[rule]}
    several = len(keys) > 1
    for stat, values in by_instruction.items():
        yield VoxelMap(
            "statmap",
            f"{name}ByInstruction" if several else name,
            values.transpose("instruction", "voxel") if several else values.isel(instruction=0),
            {
                **_STATISTICS[stat],
                **selected,
                **({"Volumes": volumes} if several else {"Instructions": volumes}),
            },
            stat=stat,
            names=keys if several else (),
        )
    for stat, values in mean.items() if several else ():
        over = "Mean of r over instructions" if stat in ("r", "alignment") else "All instructions"
        yield VoxelMap(
            "statmap",
            f"{name}Mean",
            values,
            {
                **_STATISTICS[stat],
                "Description": f"{over}: {_STATISTICS[stat]['Description']}",
                **selected,
                "Instructions": volumes,
            },
            stat=stat,
        )
    for found in _winner_maps(
        winners, reliable, name, keys, instructions, colours, layer_colours, volumes
    ):
        yield replace(found, sidecar={**found.sidecar, **selected})


def _winner_maps(
    winners: xr.Dataset,
    reliable: xr.DataArray,
    name: str,
    keys: Sequence[str],
    instructions: Mapping[str, Mapping[str, str]],
    colours: Mapping[str, str],
    layer_colours: Sequence[str],
    volumes: Sequence[Mapping[str, Any]],
) -> Iterator[VoxelMap]:
    chosen = {
        "WinnerSelection": "The instruction with the best cross-validation score on the training "
        "images (after LayerSelection); test images have no part in the choice."
    }
    raced = len(keys) > 1
    if raced:
        yield VoxelMap(
            "dseg",
            f"{name}WinningInstruction",
            _indices(winners["instruction_index"]),
            {
                "Description": "Instruction under which the model predicts the voxel best. "
                f"{_LOOKUP}",
                **chosen,
            },
            labels=pd.DataFrame(
                {
                    "index": range(1, len(keys) + 1),
                    "name": keys,
                    "color": [colours[key] for key in keys],
                    "task": [instructions[key]["task"] for key in keys],
                    "text": [instructions[key]["text"] for key in keys],
                }
            ),
        )
        for stat in ("alignment", "margin"):
            yield VoxelMap(
                "statmap",
                f"{name}Winner",
                winners[stat].where(reliable),
                {**_STATISTICS[stat], **chosen, "Instructions": list(volumes)},
                stat=stat,
            )
    yield VoxelMap(
        "dseg",
        f"{name}WinningLayer",
        _indices(winners["layer"]),
        {
            "Description": "Layer with the best cross-validation score"
            + (" under the winning instruction. " if raced else ". ")
            + "The number of the layer is index - 1: layer 0 are the token (or patch) embeddings. "
            + _LOOKUP,
            **(chosen if raced else {}),
        },
        labels=pd.DataFrame(
            {
                "index": range(1, len(layer_colours) + 1),
                "name": [f"layer {layer}" for layer in range(len(layer_colours))],
                "color": list(layer_colours),
                "layer": range(len(layer_colours)),
            }
        ),
    )


_LOOKUP = (
    "Indices are explained in the table beside this file; 0: outside the analysed voxels, or "
    "noise ceiling under the threshold."
)

_STATISTICS: dict[str, dict[str, str]] = {
    "alignment": {
        "Description": "Normalised brain alignment: Pearson's r between predicted and measured "
        "responses to the test images, divided by the voxel's noise ceiling. NaN outside the "
        "analysed voxels and where the ceiling is under the threshold.",
        "Units": "arbitrary (1: as good as the noise allows)",
        "Statistic": "r / noise ceiling",
    },
    "r": {
        "Description": "Pearson's r between predicted and measured responses to the test images. "
        "NaN outside the analysed voxels and where the ceiling is under the threshold.",
        "Units": "correlation",
        "Statistic": "Pearson's r",
    },
    "p": {
        "Description": "p-value of r, one-sided (better than chance), from permutations of the "
        "test images; not corrected for the number of voxels. Several layers or instructions are "
        "combined as twice the mean of their p.",
        "Units": "probability",
        "Statistic": "permutation p",
    },
    "q": {
        "Description": "p after control of the false discovery rate over the voxels of this map "
        "(Benjamini-Hochberg): voxels with q <= 0.05 are the significant ones of the tables.",
        "Units": "probability",
        "Statistic": "false discovery rate",
    },
    "margin": {
        "Description": "Normalised alignment of the winning instruction minus that of the "
        "runner-up, on the test images; negative where these disagree with the choice.",
        "Units": "arbitrary (1: as good as the noise allows)",
        "Statistic": "difference of r / noise ceiling",
    },
}


def _indices(positions: xr.DataArray) -> xr.DataArray:
    """Turn positions from 0, with `NO_WINNER`, into indices from 1, with `NOTHING`."""
    indices = (positions + 1).where(positions != NO_WINNER, NOTHING)
    return indices.astype(np.int16)


def _q_values(p: xr.DataArray) -> xr.DataArray:
    """Control the false discovery rate over voxels, instruction by instruction."""
    return p.copy(data=benjamini_hochberg(p.values, axis=p.get_axis_num("voxel")))


def _spelt(instruction: Mapping[str, str] | None) -> dict[str, str]:
    if instruction is None:
        return {}
    return {"Task": instruction["task"], "Text": instruction["text"]}
