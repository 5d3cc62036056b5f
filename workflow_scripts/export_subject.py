"""Rule export_subject: a subject's maps as NIfTI and GIFTI, with sidecars."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from brainstruct.exports.maps import model_maps, subject_maps
from brainstruct.exports.names import word, words
from brainstruct.exports.sidecars import merged, model_facts, reference, subject_facts
from brainstruct.exports.subject import SubjectFolder
from brainstruct.exports.surfaces import Cortex, nsd_cortices, store_cortex
from brainstruct.figures.cortex_store import use_store
from brainstruct.figures.style import instruction_colours, layer_colours
from brainstruct.figures.vertices import store_places
from brainstruct.jobs.run import log, run_job
from brainstruct.nsd.grid import read_grid
from brainstruct.nsd.layout import Layout
from brainstruct.nsd.locate import locate
from brainstruct.store.arrays import provenance, read_dataset
from brainstruct.store.publishing import publish_folder


def export_subject(job: Any) -> None:
    """Read scores, winners and ceilings, and write every map of them."""
    params, subject = job.params, f"subj{job.wildcards.participant}"
    kind, threshold = params.alignment["ceiling"], params.alignment["ceiling_threshold"]
    layout = locate(params.layout)
    space = read_dataset(job.input.space, ["roi_label", "ceiling_ncsnr"], ["voxel"])
    ceiling = space[f"ceiling_{kind}"]
    grid_file = layout.roi_file(subject, params.mask)
    grid = read_grid(grid_file, space.attrs["volume_shape"])
    shared = merged(
        subject_facts(space, preferred=kind, threshold=threshold),
        {
            "CodeOfStages": {
                "estimate_ceiling": provenance(space)["ceiling_code"],
                "export_subject": params.code,
            }
        },
    )
    cortices = _cortices(job, layout, subject, space)
    labels = words(model["key"] for model in params.models)
    with publish_folder(job.output[0]) as folder:
        target = SubjectFolder(
            folder,
            subject,
            layout.space,
            grid,
            reference(layout.in_bucket(grid_file), synthetic=params.synthetic),
            cortices,
        )
        count = target.write(subject_maps(space, kind, threshold), shared)
        for model, scores_file, winners_file in zip(
            params.models, job.input.scores, job.input.winners, strict=True
        ):
            scores = read_dataset(
                scores_file, ["r", "cv_score", "p"], ["instruction", "layer", "voxel"]
            )
            winners = read_dataset(
                winners_file, ["instruction_index", "layer", "alignment", "margin"], ["voxel"]
            )
            maps = model_maps(
                scores,
                winners,
                ceiling,
                name=labels[model["key"]],
                rule=params.alignment["layers"],
                threshold=threshold,
                instructions=model["instructions"],
                colours=instruction_colours(list(model["instructions"])),
                layer_colours=layer_colours(model["n_layers"]),
            )
            own = model_facts(scores, key=model["key"], label=model["label"])
            count += target.write(maps, merged(shared, own))
    log.info(
        "%d maps as volumes%s", count, "".join(f" and on {cortex.space}" for cortex in cortices)
    )


def _cortices(job: Any, layout: Layout, subject: str, space: xr.Dataset) -> list[Cortex]:
    """Find the surfaces that the subject's maps are carried to."""
    surfaces = job.params.surfaces
    log.info("%s", surfaces["reason"])
    shape = tuple(int(length) for length in space.attrs["volume_shape"])
    if surfaces["source"] == "nsd":
        mask = np.zeros(shape, bool)
        mask[tuple(space[axis].values for axis in ("i", "j", "k"))] = True
        return nsd_cortices(layout, subject, mask, average=surfaces["average"])
    if surfaces["source"] == "store":
        name = surfaces["name"]
        use_store(Path(job.input.surfaces[0]).parent)
        return [
            store_cortex(name, word(name), store_places(name, surfaces["transform"], shape), shape)
        ]
    return []


run_job(export_subject, globals().get("snakemake"))
