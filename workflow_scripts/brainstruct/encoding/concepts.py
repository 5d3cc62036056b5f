"""Concept groups: instructions that ask for the same kind of thing, and who wins among them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.encoding.alignment import (
    NO_WINNER,
    LayerRule,
    best_of,
    find_winners,
    select_layers,
)
from brainstruct.encoding.regions import mean_over, regions, share
from brainstruct.encoding.rivals import judge


def find_concepts(
    scores: xr.Dataset,
    ceiling: xr.DataArray,
    concepts: Mapping[str, Sequence[str]],
    comparison: xr.Dataset,
    p: xr.DataArray,
    *,
    rule: LayerRule,
) -> xr.Dataset:
    """Find each voxel's winning instruction within every concept group.

    `concepts` says which instructions each has; those that the model was not given are left out,
    and so is a concept without any. `comparison` is of all pairs of instructions, and `p`
    (instruction, voxel) that of better than chance, see `judge`. All else is as for `find_winners`.

    Returns
    -------
    xarray.Dataset
        By concept and voxel, as `find_winners` gives them of the group's instructions:
        ``instruction_index`` (but among all instructions), ``layer``, ``alignment``,
        ``margin``; and ``clear``, whether it beats the others of its group (never without any).
        By voxel: ``concept_index``, the concept whose winner has the best CV score, or
        `NO_WINNER`; ``concept_clear``, whether that winner beats every instruction of all other
        concepts. By concept and instruction: ``member`` of the group or not.

    Raises
    ------
    ValueError
        If no concept has an instruction that the model was given.
    """
    given = [str(name) for name in scores["instruction"].values]
    groups = {
        concept: [name for name in given if name in members]
        for concept, members in concepts.items()
        if set(members) & set(given)
    }
    if not groups:
        raise ValueError(f"no concept holds any of the instructions {', '.join(given)}")
    best = select_layers(scores, rule)["cv_score"]
    winners, top = [], []
    for members in groups.values():
        found = find_winners(scores.sel(instruction=members), ceiling, rule=rule)
        # From positions in the group to positions among all instructions.
        place = np.array([*(given.index(name) for name in members), NO_WINNER], dtype=np.int16)
        index = xr.DataArray(place[found["instruction_index"].values], dims="voxel")
        kept = found[["layer", "alignment", "margin"]].assign(instruction_index=index)
        winners.append(kept.drop_vars("instruction", errors="ignore"))
        top.append(best.sel(instruction=members).max("instruction"))
    names = pd.Index(list(groups), name="concept")
    result = xr.concat(winners, names)
    leader = best_of(xr.concat(top, names), "concept")
    member = [[name in members for name in given] for members in groups.values()]
    leader = leader.where(ceiling.notnull(), NO_WINNER)
    result = result.assign(
        concept_index=leader.astype(np.int16),
        member=(("concept", "instruction"), member),
    ).assign_coords(instruction=given)
    return _judged(result, comparison, p.sel(instruction=given))


def _judged(found: xr.Dataset, comparison: xr.Dataset, p: xr.DataArray) -> xr.Dataset:
    """Add who is clear; `p` (instruction, voxel) is that of better than chance."""
    own, member = p.transpose("instruction", "voxel"), found["member"]
    place = xr.DataArray(np.arange(member.sizes["instruction"]), dims="instruction")
    clear = [
        judge(index, inside & (place != index), comparison, own)["clear"]
        for index, inside in zip(found["instruction_index"], member, strict=True)
    ]
    leader = found["concept_index"]
    winner = found["instruction_index"].isel(concept=leader).where(leader >= 0, NO_WINNER)
    others = [np.delete(member.values, row, 0).any(0) for row in range(len(clear))]
    rivals = xr.zeros_like(own, dtype=bool).copy(data=np.array(others)[leader.values].T)
    return found.assign(
        clear=xr.concat(clear, found["concept"]),
        concept_clear=judge(winner, rivals, comparison, own)["clear"],
    )


def concept_table(
    found: xr.Dataset,
    scores: xr.Dataset,
    ceiling: xr.DataArray,
    space: xr.Dataset,
    *,
    rule: LayerRule,
    mask: str,
) -> pd.DataFrame:
    """Tabulate how often each instruction wins its group, per region.

    `found` is what `find_concepts` made from the scores. One row per region, concept and
    instruction; ``dictionary/columns.toml`` describes the columns.
    """
    r = select_layers(scores, rule)["r"]
    known = ceiling.where(r.notnull())
    concept_index, sure = found["concept_index"].values, found["concept_clear"].values
    rows = []
    for region in regions(space, mask):
        reliable = region.voxels & (concept_index != NO_WINNER)
        means = mean_over(r.where(known.notnull()), region) / mean_over(known, region)
        for row, place in np.argwhere(found["member"].values).tolist():
            name = str(found["instruction"].values[place])
            won = found["instruction_index"].values[row]
            clear = found["clear"].values[row]
            rows.append(
                {
                    "family": region.family,
                    "label": region.label,
                    "concept": str(found["concept"].values[row]),
                    "instruction": name,
                    "n_voxels": int(region.voxels.sum()),
                    "n_reliable": int(reliable.sum()),
                    "share_won": share(won == place, reliable),
                    "share_clear": share((won == place) & clear, reliable),
                    "share_concept": share(concept_index == row, reliable),
                    "share_concept_clear": share((concept_index == row) & sure, reliable),
                    "alignment": float(means.sel(instruction=name)),
                }
            )
    return pd.DataFrame(rows)
