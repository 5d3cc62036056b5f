"""mPLUG-Owl as a member of the model families."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL.Image import Resampling
from transformers import CLIPImageProcessorPil

from brainstruct.errors import InputError
from brainstruct.models import files
from brainstruct.models.files import fetch_cure
from brainstruct.models.interface import ModelOptions
from brainstruct.models.loading import load_network, require_image_effect
from brainstruct.models.mplug_owl.configuration import MPlugOwlConfig
from brainstruct.models.mplug_owl.modeling import MPlugOwlForConditionalGeneration
from brainstruct.models.mplug_owl.prompt import IMAGE_ID, IMAGE_MARK, TEMPLATE, PromptTokenizer
from brainstruct.models.responding import RespondingModel
from brainstruct.models.tokens import listed
from brainstruct.store.faults import reading
from brainstruct.store.files import read_json


class MPlugOwl(RespondingModel):
    """mPLUG-Owl v1; see `RespondingModel` for its attributes."""

    usual_template = TEMPLATE
    image_mark = IMAGE_MARK
    image_ids = (IMAGE_ID,)

    @classmethod
    def load(cls, options: ModelOptions) -> MPlugOwl:
        """Read a checkpoint in the published layout; see `FeatureModel.load`."""
        folder = options.checkpoint
        config = read_config(folder)
        tokenizer = PromptTokenizer(folder / "tokenizer.model", config.image_length)
        n_embedded = config.text_config.vocab_size
        if tokenizer.n_tokens > n_embedded:
            raise InputError(
                folder / "tokenizer.model",
                f"has {tokenizer.n_tokens} tokens, but the model embeds {n_embedded}",
                fetch_cure(folder),
            )
        images = read_processor(
            folder / "preprocessor_config.json", config.vision_config.image_size
        )
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
        require_image_effect(model)
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

    Raises
    ------
    InputError
        If a file is missing, or ``config.json`` damaged, inconsistent or of
        another family.
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


def read_processor(path: Path, size: int) -> CLIPImageProcessorPil:
    """Read how images are normalised from a ``preprocessor_config.json``.

    The published processor squashes an image of any shape to a square before the
    step that would crop it, so what the file says of cropping has no effect. It
    must agree with the `size` of the squares that the vision tower takes.

    Raises
    ------
    InputError
        If the file is damaged, or asks for another processing.
    """
    cure = fetch_cure(path.parent)
    content = read_json(path, cure)
    with reading(path, "settings of an image processor", cure):
        mean, std = (tuple(map(float, content[key])) for key in ("image_mean", "image_std"))
        stated = _stated_size(content.get("size", size))
        resample = int(content.get("resample", Resampling.BICUBIC))
    if stated != {size}:
        fault = f"states the size {sorted(stated)}, but the vision tower takes {size} pixels"
        raise InputError(path, fault, cure)
    if resample != Resampling.BICUBIC:
        raise InputError(path, f"asks for resampling {resample}, not 3 (bicubic)", cure)
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        fault = f"needs three means and three positive deviations, has {mean} and {std}"
        raise InputError(path, fault, cure)
    square = {"height": size, "width": size}
    return CLIPImageProcessorPil(size=square, do_center_crop=False, image_mean=mean, image_std=std)


def _stated_size(entry: Any) -> set[int]:
    """Return the lengths in a size entry: a number, or a mapping from edge names to numbers."""
    return {int(length) for length in (entry.values() if isinstance(entry, dict) else [entry])}
