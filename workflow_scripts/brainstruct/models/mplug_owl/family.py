"""mPLUG-Owl as a member of the model families."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from transformers import CLIPImageProcessorPil

from brainstruct.errors import InputError
from brainstruct.models import files
from brainstruct.models.files import load_processor
from brainstruct.models.interface import ModelOptions
from brainstruct.models.loading import load_network, require_sound
from brainstruct.models.mplug_owl.configuration import MPlugOwlConfig
from brainstruct.models.mplug_owl.modeling import MPlugOwlForConditionalGeneration
from brainstruct.models.mplug_owl.prompt import IMAGE_ID, IMAGE_MARK, TEMPLATE, PromptTokenizer
from brainstruct.models.responding import RespondingModel
from brainstruct.models.tokens import listed


class MPlugOwl(RespondingModel):
    """mPLUG-Owl v1; see `RespondingModel` for its attributes."""

    usual_template = TEMPLATE
    image_mark = IMAGE_MARK
    image_ids = (IMAGE_ID,)

    @classmethod
    def load(cls, options: ModelOptions) -> Self:
        """Read a checkpoint in the published layout; see `FeatureModel.load`."""
        folder = options.checkpoint
        config = read_config(folder)
        tokenizer = PromptTokenizer(folder / "tokenizer.model", config.image_length)
        images = load_images(folder, config.vision_config.image_size)
        network = load_network(MPlugOwlForConditionalGeneration, config, options)
        model = cls(
            options,
            network,
            network.language_model.model,
            images,
            tokenizer,
            end_ids={tokenizer.eos_id, *listed(config.text_config.eos_token_id)},
            pad_id=tokenizer.eos_id,
        )
        require_sound(model)
        return model

    def prompt_ids(self, instruction: str) -> list[int]:
        """Return the token ids of a prompt; see `PromptTokenizer.encode_prompt`."""
        ids: list[int] = self.tokenizer.encode_prompt(instruction, str(self.template))
        return ids

    def decode(self, tokens: Sequence[int]) -> str:
        """Turn the tokens of one response into text."""
        return str(self.tokenizer.decode(tokens))


def read_config(folder: Path) -> Any:
    """Read the dimensions of a checkpoint that has all its files.

    An `InputError` if a file is missing, or ``config.json`` damaged, inconsistent or of another
    family.
    """
    content = files.read_checkpoint(folder, "mplug-owl")
    text = content.get("text_config")
    language = text.get("model_type") if isinstance(text, dict) else None
    if language != "llama":
        raise InputError(
            folder / "config.json",
            f"describes a {language!r} language model, this family runs 'llama'",
            "Name another checkpoint for this model, such as MAGAer13/mplug-owl-llama-7b",
        )
    return files.as_config(folder, content, MPlugOwlConfig)


def load_images(folder: Path, size: int) -> Any:
    """Return what squashes images of any shape to squares of so many pixels, and normalises them.

    The published processor does so before the step that would crop them, and what the file
    says of sizes has no effect.
    """
    square = {"height": size, "width": size}
    return load_processor(CLIPImageProcessorPil, folder, size=square, do_center_crop=False)
