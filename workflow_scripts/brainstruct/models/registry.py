"""The model families, by name alone: what they are is known without PyTorch.

Adding a family takes one module and one entry here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Modality: TypeAlias = Literal["image+instruction", "image", "text"]
"""What a model embeds: images under an instruction that it follows, images, or
text (the image's golden captions)."""

PROCESSOR = ("preprocessor_config.json", "processor_config.json")
"""How images are prepared; newer versions of transformers write the second."""


@dataclass(frozen=True)
class Family:
    """Where a family lives, what it embeds, and what its checkpoints are.

    Attributes
    ----------
    module, name : str
        Module and class.
    modality : str
        See `Modality`.
    model_type : str
        Of the ``config.json`` of checkpoints that it can run.
    files : tuple of str or tuple of str
        What such a checkpoint holds besides configuration and weights; of a
        tuple, one.
    """

    module: str
    name: str
    modality: Modality
    model_type: str
    files: tuple[str | tuple[str, ...], ...]


FAMILIES: dict[str, Family] = {
    "instructblip": Family(
        "brainstruct.models.instructblip",
        "InstructBlip",
        "image+instruction",
        "instructblip",
        (PROCESSOR, "tokenizer.json", "qformer_tokenizer/tokenizer.json"),
    ),
    "mplug-owl": Family(
        "brainstruct.models.mplug_owl",
        "MPlugOwl",
        "image+instruction",
        "mplug-owl",
        ("preprocessor_config.json", "tokenizer.model"),
    ),
    "idefics": Family(
        "brainstruct.models.idefics",
        "Idefics",
        "image+instruction",
        "idefics",
        (PROCESSOR, "tokenizer.json"),
    ),
    "llava": Family(
        "brainstruct.models.llava",
        "Llava",
        "image+instruction",
        "llava",
        (PROCESSOR, "tokenizer.json"),
    ),
    "vit": Family("brainstruct.models.vit", "VisionTransformer", "image", "vit", (PROCESSOR,)),
    "clip-image": Family("brainstruct.models.clip", "ClipImage", "image", "clip", (PROCESSOR,)),
    "clip-text": Family("brainstruct.models.clip", "ClipText", "text", "clip", ("tokenizer.json",)),
}
