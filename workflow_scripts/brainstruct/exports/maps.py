"""The maps of a subject that others get, voxel by voxel, each with what it means."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.brain.labels import UNCLEAR
from brainstruct.encoding.alignment import NO_WINNER, LayerRule, select_layers
from brainstruct.encoding.fdr import benjamini_hochberg
from brainstruct.encoding.uncertainty import MEAN
from brainstruct.store.resources import table_beside

Suffix = Literal["statmap", "dseg", "mask"]

NOTHING = 0
"""Index of voxels without a label in a ``dseg`` map, as BIDS and atlases have it."""

_TEXTS: dict[str, dict[str, str]] = table_beside(__file__, "maps.toml")


@dataclass(frozen=True)
class VoxelMap:
    """One map, or several of one kind (one per instruction)."""

    # ``statmap`` (numbers, NaN where there is none), ``dseg`` (indices into `labels`, `NOTHING`
    # where there is none) or ``mask``.
    suffix: Suffix
    desc: str  # its ``desc`` entity
    values: xr.DataArray  # (voxel), or (volume, voxel), with the voxel coordinates i, j, k
    sidecar: Mapping[str, Any]  # what is particular about it
    stat: str | None = None  # its ``stat`` entity
    labels: pd.DataFrame | None = None  # of a ``dseg``: index, name, color and further columns
    names: Sequence[str] = ()  # of the volumes, if there are several


def subject_maps(space: xr.Dataset, ceiling: xr.DataArray, preferred: str) -> Iterator[VoxelMap]:
    """Make the maps that no model has a part in.

    `space` has ``ceiling_...`` with dim voxel and coordinates i, j, k; scores are divided by
    `ceiling`, of the kind `preferred`, see `brainstruct.brain.ceilings.usable_ceiling`.
    """
    reliable = ceiling.notnull().astype(np.uint8)
    yield VoxelMap("mask", "analysed", xr.ones_like(reliable), _TEXTS["analysed"])
    yield VoxelMap("mask", "reliable", reliable, _TEXTS["reliable"])
    for name in space.data_vars:
        kind = str(name).removeprefix("ceiling_")
        if kind != name:
            which = {"NoiseCeilingKind": kind, "UsedForNormalisation": kind == preferred}
            sidecar = _TEXTS["noiseceiling"] | which
            desc = kind.replace("_", "")
            yield VoxelMap("statmap", desc, space[name], sidecar, stat="noiseceiling")


def model_maps(
    scores: xr.Dataset,
    winners: xr.Dataset,
    chance: xr.Dataset,
    ceiling: xr.DataArray,
    *,
    name: str,
    rule: LayerRule,
    instructions: Mapping[str, Mapping[str, str]],
    colours: Mapping[str, str],
    layer_colours: Sequence[str],
) -> Iterator[VoxelMap]:
    """Make the maps of one model.

    `scores` has ``r`` and ``cv_score`` with dims instruction, layer, voxel; `winners`
    ``instruction_index``, ``clear``, ``q``, ``layer``, ``layer_low``, ``layer_high``,
    ``alignment``, ``margin`` with dim voxel; `chance` is of
    `brainstruct.encoding.uncertainty.against_chance`, `ceiling` of
    `brainstruct.brain.ceilings.usable_ceiling`: voxels without one are NaN in all maps.
    `name` is the model in entities, `rule` how the layers of a voxel became one number.
    Instructions are key -> ``task`` and ``text``, empty if the model follows none; colours,
    hexadecimal, are those of instructions and of `UNCLEAR`, and of hidden states of the model.

    Written as the tables are: alignment and p of the mean are those of the mean *r*.
    """
    told: list[dict[str, Any]] = []
    for index, key in enumerate(scores["instruction"].values):
        told.append({"Index": index, "Instruction": str(key)})
        if key in instructions:
            told[-1] |= {"Task": instructions[key]["task"], "Text": instructions[key]["text"]}
    maps = chain(
        _score_maps(scores, chance, ceiling, rule, told),
        _winner_maps(winners, ceiling.notnull(), told, colours) if len(told) > 1 else (),
        _layer_maps(winners, layer_colours, raced=len(told) > 1),
    )
    selected = {"LayerSelection": _TEXTS["LayerSelection"][rule]}
    for found in maps:
        yield replace(found, desc=f"{name}{found.desc}", sidecar={**found.sidecar, **selected})


def _score_maps(
    scores: xr.Dataset,
    chance: xr.Dataset,
    ceiling: xr.DataArray,
    rule: LayerRule,
    told: Sequence[Mapping[str, Any]],
) -> Iterator[VoxelMap]:
    """Make the maps of each instruction and, if there are several, of all together."""
    reliable = ceiling.notnull()
    r = select_layers(scores, rule)["r"].where(reliable)
    each = {"alignment": r / ceiling, "r": r}
    together = {stat: values.mean("instruction") for stat, values in each.items()}
    if int(scores.attrs["n_permutations"]) > 0:
        tested = chance[["p", "p_fwe"]].where(reliable)  # draws have no voxels to be spread over
        for maps, of in (
            (each, tested.drop_sel(instruction=MEAN)),
            (together, tested.sel(instruction=MEAN)),
        ):
            q = benjamini_hochberg(of["p"], axis=of["p"].get_axis_num("voxel"))
            maps |= {"p": of["p"], "q": of["p"].copy(data=q), "pfwe": of["p_fwe"]}
    if len(told) == 1:
        for stat, values in each.items():
            sidecar = {**_TEXTS[stat], "Instructions": told}
            yield VoxelMap("statmap", "", values.isel(instruction=0), sidecar, stat)
        return
    names = [str(one["Instruction"]) for one in told]
    for stat, values in each.items():
        sidecar = {**_TEXTS[stat], "Volumes": told}
        volumes = values.transpose("instruction", "voxel")
        yield VoxelMap("statmap", "ByInstruction", volumes, sidecar, stat, names=names)
    for stat, values in together.items():
        description = f"Mean of r over instructions: {_TEXTS[stat]['Description']}"
        sidecar = {**_TEXTS[stat], "Description": description, "Instructions": told}
        yield VoxelMap("statmap", "Mean", values, sidecar, stat)


def _winner_maps(
    winners: xr.Dataset,
    reliable: xr.DataArray,
    told: Sequence[Mapping[str, Any]],
    colours: Mapping[str, str],
) -> Iterator[VoxelMap]:
    """Make the maps of the instruction that won, of several."""
    keys = [one["Instruction"] for one in told]
    labels = pd.DataFrame(
        {
            "index": range(1, len(keys) + 1),
            "name": keys,
            "color": [colours[key] for key in keys],
            "task": [one["Task"] for one in told],
            "text": [one["Text"] for one in told],
        }
    )
    sidecar = _TEXTS["best_instruction"] | _TEXTS["won"]
    indices = _indices(winners["instruction_index"])
    yield VoxelMap("dseg", "BestInstruction", indices, sidecar, labels=labels)
    unclear = {"index": len(keys) + 1, "name": UNCLEAR, "color": colours[UNCLEAR]}
    labels = pd.concat([labels, pd.DataFrame([unclear])], ignore_index=True).fillna("")
    sidecar = _TEXTS["winning_instruction"] | _TEXTS["won"]
    shown = indices.where(winners["clear"] | (indices == NOTHING), len(keys) + 1)
    yield VoxelMap("dseg", "WinningInstruction", shown, sidecar, labels=labels)
    for stat in ("alignment", "margin", "q"):
        about = {**_TEXTS["clear" if stat == "q" else stat], **_TEXTS["won"], "Instructions": told}
        yield VoxelMap("statmap", "Winner", winners[stat].where(reliable), about, stat)


def _layer_maps(winners: xr.Dataset, colours: Sequence[str], *, raced: bool) -> Iterator[VoxelMap]:
    """Make the maps of the best layer, under the winning instruction if several raced."""
    layers = range(len(colours))
    labels = pd.DataFrame(
        {
            "index": range(1, len(colours) + 1),
            "name": [f"layer {layer}" for layer in layers],
            "color": list(colours),
            "layer": layers,
        }
    )
    under = " under the winning instruction" if raced else ""
    sidecar = {"Description": _TEXTS["winning_layer"]["Description"].format(under=under)}
    sidecar |= _TEXTS["won"] if raced else {}
    yield VoxelMap("dseg", "WinningLayer", _indices(winners["layer"]), sidecar, labels=labels)
    for end in ("low", "high"):
        layer = winners[f"layer_{end}"]
        layer = layer.where(layer != NO_WINNER).astype(np.float32)
        about = _TEXTS[f"layer_{end}"] | (_TEXTS["won"] if raced else {})
        yield VoxelMap("statmap", "WinningLayer", layer, about, f"layer{end}")


def _indices(positions: xr.DataArray) -> xr.DataArray:
    """Turn positions from 0, with `NO_WINNER`, into indices from 1, with `NOTHING`."""
    indices = (positions + 1).where(positions != NO_WINNER, NOTHING)
    return indices.astype(np.int16)
