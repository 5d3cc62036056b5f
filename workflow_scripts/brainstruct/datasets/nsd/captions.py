"""The captions that people wrote for the images (COCO)."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.errors import InputError
from brainstruct.store.faults import reading

_CURE = (
    "Unpack annotations_trainval2017.zip of cocodataset.org there, "
    "or set the folder of annotations in the configuration"
)


def read_captions(layout: Layout, index: pd.DataFrame) -> dict[int, list[str]]:
    """Read the captions of images: ``stimulus``, ``coco_id`` and ``coco_split``, one row each.

    Returns ``stimulus`` -> captions in the order of their COCO number, stripped; keys in the
    order of `index`. An `InputError` if an image has no caption.

    The captions describe the whole COCO image; the stimulus is a square crop.
    """
    found: dict[int, list[str]] = {}
    for split, rows in index.groupby("coco_split", sort=True):
        path = layout.captions_file(str(split))
        captions = _captions_of_split(path, rows["coco_id"])
        lacking = [int(number) for number in rows["coco_id"] if not captions[int(number)]]
        if lacking:
            raise InputError(
                path,
                f"has no caption of {len(lacking)} of {len(rows)} images "
                f"(the first is COCO image {lacking[0]})",
                _CURE,
            )
        for stimulus, coco_id in zip(rows["stimulus"], rows["coco_id"], strict=True):
            found[int(stimulus)] = captions[int(coco_id)]
    return {int(stimulus): found[int(stimulus)] for stimulus in index["stimulus"]}


def _captions_of_split(
    path: str | os.PathLike[str], coco_ids: Iterable[Any]
) -> dict[int, list[str]]:
    """Return COCO image -> captions; an image without any has an empty list."""
    wanted: dict[int, dict[int, str]] = {int(number): {} for number in coco_ids}

    def keep(entry: dict[str, Any]) -> dict[str, Any] | None:
        # Called for every object as soon as it is parsed: of the 600,000
        # captions only the wanted ones ever stay in memory.
        if "annotations" in entry:
            return entry
        if "caption" in entry and entry.get("image_id") in wanted:
            text = str(entry["caption"]).strip()
            if text:
                wanted[int(entry["image_id"])][int(entry["id"])] = text
        return None

    with reading(path, "file of captions", _CURE), Path(path).open(encoding="utf-8") as file:
        content = json.load(file, object_hook=keep)
    if not isinstance(content, dict):
        raise InputError(path, "holds no annotations", _CURE)
    return {
        number: [text for _, text in sorted(captions.items())]
        for number, captions in wanted.items()
    }
