"""How a checkpoint says what becomes of an image: in three layouts of different years."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainstruct.models.tiny.tokenizer_files import write_settings

IMAGES, PROCESSOR = "preprocessor_config.json", "processor_config.json"

LATER = ("do_convert_rgb", "do_rescale", "image_processor_type", "rescale_factor")
"""What processors of 2022 did not state."""


def write_as_2022(processor: Any, folder: Path, kind: str) -> None:
    """Write it as a feature extractor of a `kind`, with numbers for squares and edges."""
    content = {name: one for name, one in processor.to_dict().items() if name not in LATER}
    for name in {"size", "crop_size"} & {*content}:
        content[name] = max(content[name].values())
    write_settings(
        dict(sorted((content | {"feature_extractor_type": kind}).items())), folder / IMAGES
    )


def write_beside(processor: Any, folder: Path, settings: Mapping[str, Any]) -> None:
    """Write it as of 2023, and the `settings` of the whole processor into their own file."""
    content = processor.to_dict() | {"processor_class": settings["processor_class"]}
    write_settings(dict(sorted(content.items())), folder / IMAGES)
    if len(settings) > 1:
        write_settings(settings, folder / PROCESSOR)


def write_inside(processor: Any, folder: Path, settings: Mapping[str, Any]) -> None:
    """Write it as version 5 of transformers does: among the `settings` of the whole processor."""
    write_settings({"image_processor": processor.to_dict(), **settings}, folder / PROCESSOR)
