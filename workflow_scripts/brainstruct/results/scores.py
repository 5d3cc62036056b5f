"""Scores of finished fits, of one subject and model or of many."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from brainstruct.brain.ceilings import Threshold, usable_ceiling
from brainstruct.errors import InputError
from brainstruct.results.available import Names, available, chosen, listed, study_options
from brainstruct.results.space import read_space, with_space
from brainstruct.store.arrays import open_dataset, read_dataset

SCORES = ("r", "cv_score", "p")
"""What is loaded of every fit unless something else is asked for."""

_DIMS = ("instruction", "layer", "voxel")

_OF_FILES = ("brainstruct_version", "brainstruct_format", "provenance", "n_features")
"""Attributes that say something of one file only."""


# Long: most of it is the help of the function that others call.
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
    threshold: Threshold | None = None,
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
    instruction, layer : one or several, optional
        Keep these. Models that follow no instructions have ``none``.
    variables : iterable of str
        Of ``r``, ``r2``, ``cv_score``, ``alpha`` and ``p``.
    normalised : bool
        Add ``alignment``, *r* divided by the noise ceiling.
    ceiling : str, optional
        ``ncsnr`` or ``cross_subject``; by default the one the study chose.
    threshold : float or "auto", optional
        Voxels with a smaller ceiling (a correlation) have no alignment; ``auto``: what
        95 % of a subject's voxels without signal stay below. By default the study's
        threshold.

    Returns
    -------
    xarray.Dataset
        `variables`, and ``alignment``, with dims instruction, layer, voxel;
        unless one model is named, after a dim ``model``. What a model lacks is
        NaN. ``ceiling`` (voxel) is the noise ceiling, a correlation, beside all
        kinds there are (``ceiling_ncsnr``). Coordinates on voxel: ``subject``,
        ``i``, ``j``, ``k`` (from 0, in the subject's volume), ``ncsnr``, and one
        per ROI family, the voxel's label or ``""``. Subjects follow each other.
        Attributes: ceiling, threshold, layer_rule (the study's way to one number
        per voxel) and families.

    Raises
    ------
    InputError
        If something that is asked for is not there; it says what is.
    """
    root = Path(results)
    subjects, models = _subjects_and_models(root, subject, model)
    options = study_options(root, subjects[0], models[0])
    kind = ceiling or options["ceiling"]
    least = options["ceiling_threshold"] if threshold is None else threshold
    variables = list(variables)
    wanted = list(dict.fromkeys([*variables, "r"])) if normalised else variables
    paths = [root / "scores" / name / f"{key}.nc" for name in subjects for key in models]
    labels = _labels(paths, instruction, layer)
    parts = []
    for name in subjects:
        space = read_space(root, name, kind, roi)
        own = [path for path in paths if path.parent.name == name]
        each = [_read(path, wanted, labels[path], space) for path in own]
        part = _beside(each, models, single=isinstance(model, str))
        if normalised:
            part["alignment"] = part["r"] / usable_ceiling(space, kind, least)
            part["alignment"].attrs = {"long_name": "normalised brain alignment"}
        part = with_space(part, space)
        parts.append(part[[name for name in part.data_vars if "threshold_" not in str(name)]])
    whole = _after_each_other(parts)
    variables += ["alignment"] if normalised else []
    ceilings = [name for name in whole.data_vars if str(name).startswith("ceiling")]
    return whole[[*variables, *ceilings]].assign_attrs(
        ceiling=kind, threshold=least, layer_rule=options["layers"]
    )


def _subjects_and_models(root: Path, subject: Names, model: Names) -> tuple[list[str], list[str]]:
    """Check the names that are asked for: every subject must have every model."""
    found = available(root)
    subjects = chosen("subject", subject, list(found), root / "scores")
    all_models = list(dict.fromkeys(key for name in subjects for key in found[name]))
    models = chosen("model", model, all_models, root / "scores" / subjects[0])
    for name in subjects:
        chosen("model", models, found[name], root / "scores" / name)
    return subjects, models


def _labels(
    paths: Sequence[Path], instruction: Names, layer: int | Iterable[int] | None
) -> dict[Path, dict[str, list[Any]]]:
    """Find which instructions and layers, of those asked for, each file has; one has each."""
    asked: dict[str, list[Any]] = {}
    if instruction is not None:
        asked["instruction"] = listed(instruction)
    if layer is not None:
        asked["layer"] = [int(layer)] if isinstance(layer, int) else [int(one) for one in layer]
    there = {}
    for path in paths:
        with open_dataset(path, dims=_DIMS) as stored:
            there[path] = {dim: stored[dim].values.tolist() for dim in asked}
    for dim, labels in asked.items():
        known = list(dict.fromkeys(label for has in there.values() for label in has[dim]))
        lacking = [str(label) for label in labels if label not in known]
        if lacking:
            raise InputError(
                paths[0] if len(paths) == 1 else paths[0].parents[1],
                f"has no {dim} {', '.join(lacking)} (it has {', '.join(map(str, known))})",
                "Name some of these",
            )
    return {
        path: {dim: [one for one in labels if one in has[dim]] for dim, labels in asked.items()}
        for path, has in there.items()
    }


def _read(
    path: Path, variables: Sequence[str], labels: Mapping[str, list[Any]], space: xr.Dataset
) -> xr.Dataset:
    """Read what one model has of what is asked for; that may be nothing."""
    some = {dim: there for dim, there in labels.items() if there}
    scores = read_dataset(path, variables, _DIMS, select=some, only=True)
    none: dict[str, list[int]] = {dim: [] for dim in labels if dim not in some}
    scores = scores.isel(none).sel(voxel=space["voxel"].values)
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
    shared = set.intersection(*(set(part.variables) for part in parts))
    parts = [part.drop_vars(set(part.variables) - shared) for part in parts]
    whole = xr.concat(
        parts,
        "voxel",
        data_vars=[str(name) for name in parts[0].data_vars],
        coords="different",
        compat="equals",
        join="outer",
        combine_attrs="drop_conflicts",
    )
    return whole.assign_coords(voxel=np.arange(whole.sizes["voxel"]))
