"""The model families, by name alone: what they are is known without PyTorch.

Adding a family takes one module and one entry in ``families.toml`` beside this.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from brainstruct.store.resources import table_beside

Modality: TypeAlias = Literal["image+instruction", "image", "text"]
"""What a model embeds: images under an instruction that it follows, images, or
text (the image's golden captions)."""

IMAGES = ("preprocessor_config.json", "processor_config.json")
"""How images are prepared; newer versions of transformers write the second."""


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
    part: str | None = None
    usual_blocks: int | None = None  # the library's, where the configuration states none
    has_image_token: bool = False  # whose id the configuration states, too
    usual_image_token: int | None = None  # the library's, where it states none
    image_first: bool = False  # before the instruction, if the prompt does not say otherwise
    # Rises when the same weights and stimuli give other states: its models are then run anew.
    # `brainstruct.workflow.formats` says more of such numbers.
    format: int = 1


FAMILIES: dict[str, Family] = {
    key: Family(
        **said
        | {"files": tuple(tuple(one) if isinstance(one, list) else one for one in said["files"])}
    )
    for key, said in table_beside(__file__, "families.toml").items()
}
