"""Scores of finished fits, of one subject and model or of many."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from brainstruct.brain.ceilings import can_be_divided_by
from brainstruct.errors import InputError
from brainstruct.results.available import Names, available, chosen, listed, study_options
from brainstruct.results.space import read_space
from brainstruct.store.arrays import open_dataset, read_dataset

SCORES = ("r", "cv_score", "p")
"""What is loaded of every fit unless something else is asked for."""

_DIMS = ("instruction", "layer", "voxel")

_OF_FILES = ("brainstruct_version", "brainstruct_format", "provenance", "n_features")
"""Attributes that say something of one file only."""


def load_scores(
    results: str | os.PathLike[str],
    subject: Names = None,
    model: Names = None,
    roi: Names = None,
    *,
    instruction: Names = None,
    layer: int | Iterable[int] | None = None,
    variables: Iterable[str] = SCORES,
    normalised: bool = True,
    ceiling: str | None = None,
    threshold: float | None = None,
) -> xr.Dataset:
    """Load scores of subjects and models, with their voxels and noise ceilings.

    Parameters
    ----------
    results : path
        Folder of the results of a study, for instance ``results``.
    subject, model : str or sequence of str, optional
        Which ones; by default all.
    roi : str or sequence of str, optional
        Keep the voxels of a label (``FFA-1``), of a region whose labels are its
        parts (``FFA``, ``V1``), or of a family (``floc-faces``); several give
        their union. Where several families have a label, the family comes
        first: ``Kastner2015/V1``. By default all voxels of the mask.
    instruction : str or sequence of str, optional
        Keep these instructions. Models that follow none have ``none``.
    layer : int or iterable of int, optional
        Keep these layers.
    variables : iterable of str
        Of ``r``, ``r2``, ``cv_score``, ``alpha`` and ``p``.
    normalised : bool
        Add ``alignment``, *r* divided by the noise ceiling.
    ceiling : str, optional
        ``ncsnr`` or ``cross_subject``; by default the one the study chose.
    threshold : float, optional
        Voxels with a smaller ceiling (a correlation) have no alignment; by
        default the study's threshold.

    Returns
    -------
    xarray.Dataset
        `variables`, and ``alignment``, with dims instruction, layer, voxel;
        unless one model is named, after a dim ``model``. What a model lacks is
        NaN. ``ceiling`` (voxel) is the noise ceiling, a correlation, beside all
        kinds there are: ``ceiling_ncsnr``, ``ceiling_cross_subject``.
        Coordinates on voxel: ``subject``, ``i``, ``j``, ``k`` (from 0, in the
        subject's volume), ``ncsnr``, and one per ROI family, the voxel's label
        or ``""``. Subjects follow each other along voxel. Attributes: ceiling,
        threshold, layer_rule, the study's way to one number per voxel, and families.

    Raises
    ------
    InputError
        If something that is asked for is not there; it says what is.
    """
    root = Path(results)
    found = available(root)
    subjects = chosen("subject", subject, list(found), root / "scores")
    all_models = list(dict.fromkeys(key for name in subjects for key in found[name]))
    models = chosen("model", model, all_models, root / "scores" / subjects[0])
    for name in subjects:
        chosen("model", models, found[name], root / "scores" / name)
    options = study_options(root, subjects[0], models[0])
    kind = ceiling or options["ceiling"]
    wanted = list(dict.fromkeys([*variables, *(["r"] if normalised else [])]))
    select: dict[str, list[Any]] = {}
    if instruction is not None:
        select["instruction"] = listed(instruction)
    if layer is not None:
        select["layer"] = [int(layer)] if isinstance(layer, int) else [int(one) for one in layer]
    _check_labels(
        [root / "scores" / name / f"{key}.nc" for name in subjects for key in models], select
    )
    parts = []
    for name in subjects:
        space = read_space(root, name, kind, roi)
        each = [
            _read(root / "scores" / name / f"{key}.nc", wanted, select, space) for key in models
        ]
        scores = _beside(each, models, single=isinstance(model, str))
        scores = scores.assign(space.data_vars).assign_coords(space.coords)
        parts.append(scores.assign_attrs(space.attrs))
    whole = _after_each_other(parts)
    least = options["ceiling_threshold"] if threshold is None else threshold
    if normalised:
        alignment = whole["r"] / whole["ceiling"].where(can_be_divided_by(whole["ceiling"], least))
        whole["alignment"] = alignment.assign_attrs(long_name="normalised brain alignment")
    kept = [*variables, *(["alignment"] if normalised else [])]
    ceilings = [name for name in whole.data_vars if str(name).startswith("ceiling")]
    return whole[[*kept, *ceilings]].assign_attrs(
        ceiling=kind, threshold=least, layer_rule=options["layers"]
    )


def _check_labels(paths: Sequence[Path], select: Mapping[str, Sequence[Any]]) -> None:
    """Check that some model has each instruction and layer that is asked for."""
    there: dict[str, list[Any]] = {dim: [] for dim in select}
    for path in paths if select else ():
        with open_dataset(path, dims=_DIMS) as stored:
            for dim in select:
                there[dim] += stored[dim].values.tolist()
    for dim, labels in select.items():
        lacking = [label for label in labels if label not in there[dim]]
        if lacking:
            known = ", ".join(str(label) for label in dict.fromkeys(there[dim]))
            where = paths[0] if len(paths) == 1 else paths[0].parents[1]
            raise InputError(
                where,
                f"has no {dim} {', '.join(map(str, lacking))} (it has {known})",
                "Name some of these",
            )


def _read(
    path: Path, variables: Sequence[str], select: Mapping[str, Sequence[Any]], space: xr.Dataset
) -> xr.Dataset:
    """Read what one model has of what is asked for; that may be nothing."""
    with open_dataset(path, variables, _DIMS) as stored:
        present = {
            dim: [label for label in labels if label in stored[dim].values.tolist()]
            for dim, labels in select.items()
        }
    read = {dim: labels for dim, labels in present.items() if labels}
    scores = read_dataset(path, variables, _DIMS, select=read, only=True)
    empty: dict[str, list[int]] = {dim: [] for dim, labels in present.items() if not labels}
    scores = scores.isel(empty).sel(voxel=space["voxel"].values)
    scores.attrs = {name: value for name, value in scores.attrs.items() if name not in _OF_FILES}
    return scores.transpose(*_DIMS)


def _beside(each: Sequence[xr.Dataset], models: Sequence[str], *, single: bool) -> xr.Dataset:
    if single:
        return each[0].assign_coords(model=models[0])
    along = xr.DataArray(np.array(models, dtype=str), dims="model", name="model")
    # Instructions and layers keep the order in which models have them.
    order = {
        dim: list(dict.fromkeys(label for one in each for label in one[dim].values.tolist()))
        for dim in ("instruction", "layer")
    }
    order["layer"].sort()
    return xr.concat(
        [one.reindex(order) for one in each], along, join="exact", combine_attrs="drop_conflicts"
    )


def _after_each_other(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Join subjects along voxel, which is numbered anew if there are several."""
    if len(parts) == 1:
        return parts[0]
    shared = set.intersection(*({str(name) for name in part.variables} for part in parts))
    numbered, start = [], 0
    for part in parts:
        stop = start + part.sizes["voxel"]
        own = part.drop_vars([name for name in part.variables if name not in shared])
        numbered.append(own.assign_coords(voxel=np.arange(start, stop)))
        start = stop
    along = [str(name) for name in numbered[0].data_vars]
    return xr.concat(
        numbered,
        "voxel",
        data_vars=along,
        coords="different",
        compat="equals",
        join="outer",
        combine_attrs="drop_conflicts",
    )
