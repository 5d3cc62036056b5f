"""Writes a subject of the NSD's true shapes, by the functions that write the demo's subjects."""

import tempfile
from itertools import cycle
from pathlib import Path

import h5py
import numpy as np
import xarray as xr
from size import GRID, LAYERS, Size
from states import States

from brainstruct.datasets.nsd import numbers
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic import surfaces
from brainstruct.datasets.nsd.synthetic.captions import write_captions
from brainstruct.datasets.nsd.synthetic.design import (
    draw_design,
    draw_stim_info,
    write_expdesign,
    write_stim_info,
)
from brainstruct.datasets.nsd.synthetic.photographs import Crop, cut, draw_crop, load_photographs
from brainstruct.datasets.nsd.synthetic.settings import Brains, Experiment, Planted
from brainstruct.datasets.nsd.synthetic.stimuli import shown_images
from brainstruct.datasets.nsd.synthetic.subjects import write_subject
from brainstruct.figures.anatomy import sample_anatomy
from brainstruct.figures.cortex_store import find_subject, use_store
from brainstruct.figures.fsaverage import nearest_vertices
from brainstruct.figures.halves import Alignment, read_stored
from brainstruct.figures.preparing import with_folds
from brainstruct.figures.store_import import import_subject

SUBJECT, CORTEX, TRANSFORM = "subj01", "S1", "rehearsal"

REGIONS = ("V1", "V2", "V3", "EBA", "FFA", "OFA", "PPA", "OPA", "RSC")
"""Of the cortex that ships with pycortex: 10,597 voxels of the true grid."""

MILLIMETRES = 1.8


def write_data(layout: Layout, size: Size, spaces: list[tuple[str, str, int]], seed: int) -> States:
    """Write what the study reads of the NSD; return the states whose `spaces` drive regions."""
    plan = Experiment(
        seed=seed,
        sessions={SUBJECT: size.sessions},
        shared_images=size.shared,
        unique_images=size.own,
    )
    design = draw_design(plan)
    shown = shown_images(design, plan.sessions)
    states = States(shown, size.width, seed)
    if layout.ncsnr_file(SUBJECT).exists():  # the last file: all is there
        return states
    table = draw_stim_info(design, seed)
    crops = {nsd_id: draw_crop(nsd_id, seed) for nsd_id in shown.tolist()}
    write_expdesign(design, layout.expdesign_file)
    write_stim_info(table, layout.stim_info_file)
    write_captions(layout, table, crops, seed)
    shared = np.intersect1d(shown, design.shared)
    write_images(layout, {nsd_id: crops[nsd_id] for nsd_id in shared.tolist()})
    anatomy = write_cortex(layout)
    driving = {
        (model, instruction, layer): xr.DataArray(
            states.layer(model, instruction, LAYERS.index(layer)),
            dims=("stimulus", "feature"),
            coords={"stimulus": states.ids},
        )
        for model, instruction, layer in spaces
    }
    planted = [
        Planted(roi=region, model=model, instruction=instruction, layer=layer)
        for region, (model, instruction, layer) in zip(REGIONS, cycle(spaces), strict=False)
    ]
    brains = Brains(
        planted=planted, ncsnr=(0.3, 1.0), **voxels_of(size, (anatomy["label"] > 0).sum())
    )
    write_subject(layout, SUBJECT, anatomy, driving, brains, size.sessions, seed)
    return states


def voxels_of(size: Size, labelled: int) -> dict[str, int]:
    """Say how many voxels of the mask lie in regions and beside them."""
    inside = min(int(labelled), round(0.7 * size.n_voxels))
    return {"max_labelled": inside, "n_unlabelled": size.n_voxels - inside}


def write_images(layout: Layout, crops: dict[int, Crop]) -> None:
    """Write the images' file at its full size, in one piece, with these images and holes."""
    photographs, side = load_photographs(), numbers.IMAGE_SIZE
    layout.stimuli_file.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(layout.stimuli_file, "w", locking=False) as file:
        shape = (numbers.N_IMAGES, side, side, 3)
        bricks = file.create_dataset("imgBrick", shape, np.uint8, fill_time="never")
        for nsd_id in sorted(crops):
            bricks[nsd_id] = cut(crops[nsd_id], photographs, side)


def write_cortex(layout: Layout) -> xr.Dataset:
    """Write pycortex's cortex as the subject's own, in the middle of the true grid; sample it."""
    origin = find_subject(None, CORTEX)
    pair = read_stored(origin)
    points = np.concatenate([half.pial for half in pair])
    matrix = np.diag([1 / MILLIMETRES] * 3 + [1.0])
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    matrix[:3, 3] = (np.array(GRID) - 1) / 2 - centre / MILLIMETRES
    alignment = Alignment(TRANSFORM, matrix, GRID)
    with tempfile.TemporaryDirectory() as folder:
        import_subject(folder, CORTEX, *pair, [alignment], origin)
        use_store(folder)
        anatomy = sample_anatomy(CORTEX, TRANSFORM, REGIONS)
        pair = with_folds(pair, Path(folder))
        index = nearest_vertices(pair)
    for half, average in zip(pair, index, strict=True):
        surfaces.write_surfaces(layout, SUBJECT, half)
        surfaces.write_depths(layout, SUBJECT, half, alignment.voxels)
        surfaces.write_average(layout, SUBJECT, half.side, average)
    return anatomy.assign_attrs(anatomy["label"].attrs)
