"""The model families, by name alone: what they are is known without PyTorch.

Adding a family takes one module and one entry here.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Modality: TypeAlias = Literal["image+instruction", "image", "text"]
"""What a model embeds: images under an instruction that it follows, images, or
text (the image's golden captions)."""

IMAGES = ("preprocessor_config.json", "processor_config.json")
"""How images are prepared; newer versions of transformers write the second."""

_TEXTS = "tokenizer.json"


@dataclass(frozen=True)
class Family:
    """Where a family lives, what it embeds, and what its checkpoints are."""

    module: str
    name: str  # of the class
    modality: Modality
    model_type: str  # of the ``config.json`` of its checkpoints; empty: any
    # What they hold besides configuration and weights; of a tuple, one.
    files: tuple[str | tuple[str, ...], ...]
    # The part of the configuration whose blocks are the layers; `None`: there are no parts.
    part: str | None = "text_config"
    usual_blocks: int | None = 32  # the library's, where the configuration states none
    has_image_token: bool = False  # whose id the configuration states, too
    usual_image_token: int | None = None  # the library's, where it states none
    image_first: bool = False  # before the instruction, if the prompt does not say otherwise
    # Rises when the same weights and stimuli give other states: its models are then run anew.
    # `brainstruct.workflow.formats` says more of such numbers.
    format: int = 1


_ROOM = "brainstruct.models"
_ENCODERS, _TOWER = f"{_ROOM}.encoders", "vision_config"
_FOLLOWS: Modality = "image+instruction"

FAMILIES: dict[str, Family] = {
    "instructblip": Family(
        f"{_ROOM}.instructblip",
        "InstructBlip",
        _FOLLOWS,
        "instructblip",
        (IMAGES, _TEXTS, f"qformer_tokenizer/{_TEXTS}"),
        has_image_token=True,
    ),
    "mplug-owl": Family(
        f"{_ROOM}.mplug_owl.family",
        "MPlugOwl",
        _FOLLOWS,
        "mplug-owl",
        ("preprocessor_config.json", "tokenizer.model"),
        image_first=True,
    ),
    "idefics": Family(
        f"{_ROOM}.idefics", "Idefics", _FOLLOWS, "idefics", (IMAGES, _TEXTS), part=None
    ),
    "llava": Family(
        f"{_ROOM}.auto",
        "Llava",
        _FOLLOWS,
        "llava",
        (IMAGES, _TEXTS),
        has_image_token=True,
        usual_image_token=32000,
        image_first=True,
    ),
    "auto": Family(
        f"{_ROOM}.auto",
        "Auto",
        _FOLLOWS,
        "",
        (IMAGES, _TEXTS),
        usual_blocks=None,
        image_first=True,
    ),
    "image": Family(_ENCODERS, "ImageEncoder", "image", "", (IMAGES,), _TOWER, None),
    "text": Family(_ENCODERS, "TextEncoder", "text", "", (_TEXTS,), usual_blocks=None),
    "vit": Family(_ENCODERS, "VisionTransformer", "image", "vit", (IMAGES,), None, 12),
    "clip-image": Family(_ENCODERS, "ClipImage", "image", "clip", (IMAGES,), _TOWER, 12),
    "clip-text": Family(_ENCODERS, "ClipText", "text", "clip", (_TEXTS,), usual_blocks=12),
}
