"""Composes captions of the crops and writes them as COCO does."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainstruct.datasets.nsd.layout import COCO_SPLITS, Layout
from brainstruct.datasets.nsd.synthetic.photographs import PHOTOGRAPHS, Crop
from brainstruct.datasets.nsd.synthetic.streams import stream
from brainstruct.store.files import write_json

CAPTIONS_PER_IMAGE = 5
CLOSE, FAR = 0.55, 0.75
"""Scales under and over which a caption speaks of a close or a wide view."""

TEMPLATES: tuple[str, ...] = (
    "{View} of {subject}.",
    "A photo that shows {subject} with {scene}.",
    "There is {subject} in the {side} of the picture.",
    "{Subject} and {scene} in the background",
    "{View} with {subject} in front of {scene}.",
    "Someone photographed {subject}.",
    "This picture shows {scene} and {subject}.",
)
ENDINGS: tuple[str, ...] = ("", "", "", " ", "\n")
"""Captions of COCO end as their authors left them."""


def write_captions(layout: Layout, table: pd.DataFrame, crops: dict[int, Crop], seed: int) -> None:
    """Write ``captions_train2017.json`` and ``captions_val2017.json``.

    Parameters
    ----------
    table : pandas.DataFrame
        With ``nsdId``, ``cocoId`` and ``cocoSplit``.
    crops : dict
        ``nsd_id`` -> crop, for the images that get captions.
    """
    shown = table[table["nsdId"].isin(np.fromiter(crops, dtype=np.int64))]
    for split in COCO_SPLITS:
        rows = shown[shown["cocoSplit"] == split]
        captions = [
            (int(row.cocoId), text)
            for row in rows.itertuples()
            for text in _compose(crops[int(row.nsdId)], int(row.nsdId), seed)
        ]
        write_json(
            {
                "info": {"description": "Captions of synthetic stimuli", "version": "1.0"},
                "licenses": [],
                "images": [
                    {"id": int(number), "file_name": f"{number:012d}.jpg"}
                    for number in rows["cocoId"]
                ],
                "annotations": [
                    {"image_id": number, "id": place, "caption": text}
                    for place, (number, text) in enumerate(captions, start=1)
                ],
            },
            layout.captions_file(split),
        )


def _compose(crop: Crop, nsd_id: int, seed: int) -> list[str]:
    """Return five captions of a crop."""
    random = stream(seed, "captions", nsd_id)
    photograph = PHOTOGRAPHS[crop.photograph]
    view = "a close view" if crop.scale < CLOSE else "a wide view" if crop.scale > FAR else "a view"
    words = {
        "subject": photograph.subject,
        "Subject": photograph.subject.capitalize(),
        "scene": photograph.scene,
        "View": view.capitalize(),
        # Cutting further left moves what is shown to the right.
        "side": "right half" if (crop.left < 0.5) != crop.mirrored else "left half",
    }
    templates = random.choice(TEMPLATES, CAPTIONS_PER_IMAGE, replace=False)
    endings = random.choice(ENDINGS, CAPTIONS_PER_IMAGE)
    return [
        str(template).format(**words) + str(ending)
        for template, ending in zip(templates, endings, strict=True)
    ]
