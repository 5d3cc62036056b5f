"""Composes captions of the crops and writes them as COCO does."""

import numpy as np
import pandas as pd

from brainstruct.datasets.nsd.layout import COCO_SPLITS, Layout
from brainstruct.datasets.nsd.synthetic.photographs import PHOTOGRAPHS, Crop
from brainstruct.datasets.nsd.synthetic.streams import stream
from brainstruct.store.files import write_json
from brainstruct.store.resources import table_beside

_TEXTS = table_beside(__file__, "captions.toml")

TWICE = 0.03
"""Share of the images whose last caption is their first once more."""
LARGEST_CAPTION_ID = 829_717
CLOSE, FAR = 0.55, 0.75
"""Scales under and over which a caption speaks of a close or a wide view."""


def write_captions(layout: Layout, table: pd.DataFrame, crops: dict[int, Crop], seed: int) -> None:
    """Write ``captions_train2017.json`` and ``captions_val2017.json``.

    The table has ``nsdId``, ``cocoId`` and ``cocoSplit``; `crops` are ``nsd_id`` -> crop, of
    the images that get captions.
    """
    shown = table[table["nsdId"].isin(np.fromiter(crops, dtype=np.int64))]
    for split in COCO_SPLITS:
        rows = shown[shown["cocoSplit"] == split]
        captions = [
            (int(row.cocoId), text)
            for row in rows.itertuples()
            for text in _compose(crops[int(row.nsdId)], int(row.nsdId), seed)
        ]
        random = stream(seed, "numbers of captions", split)
        numbers = random.choice(LARGEST_CAPTION_ID, len(captions), replace=False).tolist()
        order = random.permutation(len(captions)).tolist()
        write_json(
            {
                "info": {"description": "Captions of synthetic stimuli", "version": "1.0"},
                "licenses": [],
                "images": [
                    {"id": int(number), "file_name": f"{number:012d}.jpg"}
                    for number in rows["cocoId"]
                ],
                "annotations": [
                    {"image_id": captions[at][0], "id": numbers[at], "caption": captions[at][1]}
                    for at in order
                ],
            },
            layout.captions_file(split),
        )


def _compose(crop: Crop, nsd_id: int, seed: int) -> list[str]:
    """Return the captions of a crop, as carelessly written as those of COCO."""
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
    often, blanks_of = _TEXTS["per_image"], _TEXTS["blanks"]
    n_captions = random.choice(list(map(int, often)), p=list(often.values()))
    templates = random.choice(_TEXTS["templates"], n_captions, replace=False)
    endings = random.choice(_TEXTS["endings"], n_captions)
    blanks = random.choice(list(blanks_of), n_captions, p=list(blanks_of.values()))
    texts = [
        str(template).format(**words).replace(" ", str(blank), 1) + str(ending)
        for template, blank, ending in zip(templates, blanks, endings, strict=True)
    ]
    return [*texts[:-1], texts[0]] if random.random() < TWICE else texts
