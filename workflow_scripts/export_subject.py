"""Rule export_subject: a subject's maps as NIfTI and GIFTI, with sidecars."""

from pathlib import Path

import xarray as xr

from brainstruct.brain.ceilings import usable_ceiling
from brainstruct.config.encoding import Alignment
from brainstruct.config.models import ShownModel
from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.places import volume_of
from brainstruct.exports.maps import model_maps, subject_maps
from brainstruct.exports.names import word, words
from brainstruct.exports.sidecars import merged, model_facts, reference, subject_facts
from brainstruct.exports.subject import SubjectFolder
from brainstruct.exports.surfaces import Cortex, own_cortices, store_cortex
from brainstruct.figures.halves import read_alignment, read_stored
from brainstruct.figures.style import NO_WINNER, instruction_colours, layer_colours
from brainstruct.figures.surface import check_volume
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import provenance, read_dataset
from brainstruct.store.publishing import publish_folder
from brainstruct.workflow.flat_source import SurfaceSource


def _cortices(
    surfaces: SurfaceSource, files: list[Path], dataset: DataSet, subject: str, space: xr.Dataset
) -> list[Cortex]:
    """Find the surfaces that the subject's maps are carried to."""
    shape = tuple(int(length) for length in space.attrs["volume_shape"])
    if surfaces.source == "dataset":
        return own_cortices(dataset, subject, volume_of(space), average=surfaces.average)
    if surfaces.source == "store":
        name = surfaces.name
        stored = files[0].parent / "db" / name
        alignment = read_alignment(stored, surfaces.transform)
        check_volume(alignment.shape, shape, alignment.name)
        places = [alignment.depths(half) for half in read_stored(stored)]
        return [store_cortex(name, word(name), places, shape)]
    return []


WON = ("instruction_index", "clear", "q", "layer", "layer_low", "alignment", "margin")
"""What is exported of winners."""


@script
def export_subject(
    *,
    scores: list[Path],
    winners: list[Path],
    uncertainties: list[Path],
    ceiling: Path,
    surface_files: list[Path],
    subject: str,
    models: list[ShownModel],
    instructions: list[str],
    alignment: Alignment,
    dataset: DataSet,
    mask: str,
    surfaces: SurfaceSource,
    synthetic: bool,
    code: str,
    folder: Path,
) -> None:
    """Read scores, winners and ceilings, and write every map of them."""
    space = read_dataset(ceiling, ["roi_label", "ceiling_ncsnr"], ["voxel"])
    usable = usable_ceiling(space, alignment.ceiling, alignment.ceiling_threshold)
    grid = dataset.reader().grid(subject, mask, space.attrs["volume_shape"])
    codes = {"estimate_ceiling": provenance(space)["ceiling_code"], "export_subject": code}
    facts = subject_facts(space, usable, preferred=alignment.ceiling)
    shared = merged(facts, {"CodeOfStages": codes})
    log.info("%s", surfaces.reason)
    cortices = _cortices(surfaces, surface_files, dataset, subject, space)
    labels = words(model.key for model in models)
    with publish_folder(folder) as draft:
        target = SubjectFolder(
            draft,
            dataset.participant(subject),
            dataset.about.task,
            dataset.volume_space,
            grid,
            reference(dataset, dataset.grid_files(subject, mask)[0], synthetic=synthetic),
            cortices,
        )
        count = target.write(subject_maps(space, usable, alignment.ceiling), shared)
        each = zip(models, scores, winners, uncertainties, strict=True)
        for model, scores_file, winners_file, sure_file in each:
            fitted = read_dataset(scores_file, ["r", "cv_score"], ["instruction", "layer", "voxel"])
            won = read_dataset(winners_file, WON, ["voxel"])
            maps = model_maps(
                fitted,
                won,
                read_dataset(sure_file, ["p", "p_fwe"], ["instruction", "voxel"]),
                usable,
                name=labels[model.key],
                rule=alignment.layers,
                instructions={key: one.model_dump() for key, one in model.instructions.items()},
                colours=instruction_colours(instructions) | NO_WINNER,
                layer_colours=layer_colours(model.n_layers),
            )
            own = model_facts(fitted, key=model.key, label=model.label)
            count += target.write(maps, merged(shared, own))
    on_surfaces = "".join(f" and on {cortex.space}" for cortex in cortices)
    log.info("%d maps as volumes%s", count, on_surfaces)
