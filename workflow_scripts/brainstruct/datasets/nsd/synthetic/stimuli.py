"""Writes what belongs to no subject alone: images, design, table and captions."""

import h5py
import numpy as np

from brainstruct.datasets.nsd.design import shown_images
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.numbers import IMAGE_SIZE, N_IMAGES
from brainstruct.datasets.nsd.synthetic.captions import write_captions
from brainstruct.datasets.nsd.synthetic.design import (
    draw_design,
    draw_stim_info,
    write_expdesign,
    write_stim_info,
)
from brainstruct.datasets.nsd.synthetic.photographs import Crop, cut, draw_crop, load_photographs
from brainstruct.datasets.nsd.synthetic.settings import Experiment
from brainstruct.store.publishing import publish

COMPRESSION_LEVEL = 4


def write_stimuli(layout: Layout, plan: Experiment, image_size: int = IMAGE_SIZE) -> None:
    """Write a synthetic study up to its subjects' brains.

    Images are crops of photographs. ``imgBrick`` has the 73,000 rows of the NSD, but only images
    that some subject saw are written: the others read as zeros and take no space.

    The same plan gives the same data. `image_size` are rows and columns.
    """
    design, seed = draw_design(plan), plan.seed
    table = draw_stim_info(design, seed)
    shown = shown_images(design, plan.sessions).tolist()
    crops = {nsd_id: draw_crop(nsd_id, seed) for nsd_id in shown}
    write_expdesign(design, layout.expdesign_file)
    write_stim_info(table, layout.stim_info_file)
    write_captions(layout, table, crops, seed)
    _write_images(layout, crops, image_size)


def _write_images(layout: Layout, crops: dict[int, Crop], size: int) -> None:
    photographs = load_photographs()
    with (
        publish(layout.stimuli_file) as temporary,
        h5py.File(temporary, "w", locking=False) as file,
    ):
        bricks = file.create_dataset(
            "imgBrick",
            shape=(N_IMAGES, size, size, 3),
            dtype=np.uint8,
            chunks=(1, size, size, 3),
            compression="gzip",
            compression_opts=COMPRESSION_LEVEL,
        )
        for nsd_id, crop in crops.items():
            bricks[nsd_id] = cut(crop, photographs, size)
