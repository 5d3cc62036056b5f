"""Any model of the library that answers an instruction about an image, found by its checkpoint.

The configuration says which network it is; the network says where its decoder is
(``get_decoder``); the checkpoint's own processor writes image tokens and makes pixels; its chat
template writes the prompt, unless the study does.
"""

from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from PIL import Image
from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from brainstruct.errors import InputError
from brainstruct.models import tokens
from brainstruct.models.beginning import ROWS
from brainstruct.models.files import as_config, read_checkpoint
from brainstruct.models.interface import Batch, ModelOptions
from brainstruct.models.kinds import require_kind
from brainstruct.models.loading import load_network, require_sound
from brainstruct.models.processing import load_whole_processor
from brainstruct.models.prompts import THINKING, chat, require_answer, require_plain
from brainstruct.models.responding import RespondingModel, shared_instruction
from brainstruct.store.faults import reading

NORMS = ("norm", "final_layernorm", "ln_f", "final_layer_norm", "embedding_norm", "norm_f")
"""Names that decoders give to the norm behind their last block."""


_ALIKE = "checkpoint whose processor takes this prompt, and makes images of one size alike"
_SUITED = "Take all its files from one revision; if they are, name another checkpoint"


class Auto(RespondingModel):
    """A model of any type; see `RespondingModel` for its attributes."""

    family: ClassVar[str] = "auto"

    @classmethod
    def load(cls, options: ModelOptions) -> Self:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        content = read_checkpoint(folder, cls.family)
        kind = CONFIG_MAPPING[require_kind(folder, content)]
        config: Any = as_config(folder, content, kind)
        tokenizer = tokens.load_tokenizer(folder)
        processor = load_whole_processor(folder, config, tokenizer)
        # Attention as fast as this network has it.
        network_class = MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING[type(config)]
        network = load_network(network_class, config, options, attn_implementation=None)
        known = tokenizer.get_vocab()
        thinking = {known[token] for token in THINKING if token in known}
        named = (
            getattr(source, name, None)
            for source in (config, processor)
            for name in ("image_token_id", "image_token_index")
        )
        image_ids = {one for one in named if isinstance(one, int)}
        pads = (tokenizer.pad_token_id, tokenizer.eos_token_id, 0)
        model = cls(
            options,
            network,
            decoder_of(network, folder),
            processor,
            tokenizer,
            end_ids=tokens.end_ids(folder, tokenizer),
            pad_id=next(one for one in pads if one is not None),
            forbidden_ids=tuple(thinking | image_ids),
        )
        model.image_ids = image_ids
        model.image_mark = str(getattr(processor, "image_token", "<image>"))
        model.image_backend = getattr(processor.image_processor, "backend", cls.image_backend)
        with reading(folder, "checkpoint whose processor suits its network", _SUITED):
            require_sound(model)
        return model

    def prompt(self, instruction: str) -> str:
        """Return the prompt as the study, or the checkpoint's chat template, writes it."""
        folder = self.options.checkpoint
        require_plain(folder, self.tokenizer, instruction)
        if self.template is not None:
            text = super().prompt(instruction)
        else:
            template = self._images.chat_template or self.tokenizer.chat_template
            text = chat(folder, self.tokenizer, template, instruction, self.options.chat)
        require_answer(folder, self.tokenizer.get_vocab(), text, self.decoding.marks)
        return text

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:
        """Write the prompt and process the images; see `FeatureModel.prepare`."""
        text = self.prompt(shared_instruction(texts))
        begin, folder = self.tokenizer.bos_token, self.options.checkpoint
        # Which tokens are an image's: some networks ask, and not all their processors say.
        asked = "mm_token_type_ids" in signature(self.network.forward).parameters
        with reading(folder, _ALIKE, _SUITED):
            found = self._images(
                text=[text] * len(images),
                images=[[image] for image in images],
                add_special_tokens=not (begin and text.startswith(begin)),
                padding=False,  # whatever whoever saved the tokenizer had set
                truncation=False,
                return_tensors="pt",
                **({"return_mm_token_type_ids": True} if asked else {}),
            )
            ids = found["input_ids"]
            if not torch.equal(ids, ids[:1].expand_as(ids)):
                raise ValueError("their tokens are others")
            batch = _by_stimulus(found, len(images))
        tokens.require_embedded(folder, ids, self.body.embed_tokens)
        return batch

    def generate(self, batch: Batch, **settings: Any) -> Any:
        """Run the network's own generation; see `RespondingModel.generate`."""
        inputs = {
            name.removeprefix(ROWS): values.flatten(0, 1) if name.startswith(ROWS) else values
            for name, values in batch.items()
        }
        return self.network.generate(**inputs, **settings)


class Llava(Auto):
    """LLaVA-1.5, with the prompt that its authors published."""

    family = "llava"
    usual_template = "USER: {image}\n{instruction}\nASSISTANT:"


def decoder_of(network: Any, folder: Path) -> Any:
    """Return the part that reads and writes text, its own parts named as LLaMA's are."""
    found = network.get_decoder()
    # Some call so what has a head, too.
    body = next((part for part in found.modules() if hasattr(part, "layers")), found)
    norm = next((name for name in NORMS if hasattr(body, name)), None)
    if norm is None or len(getattr(body, "layers", ())) != body.config.num_hidden_layers:
        parts = ", ".join(name for name, _ in body.named_children())
        raise InputError(
            folder / "config.json",
            f"the decoder that it describes ({type(body).__name__}: {parts}) has no blocks, or no "
            "norm, where they are looked for",
            "Name another checkpoint for this model",
        )
    known = {"norm": getattr(body, norm), "embed_tokens": body.get_input_embeddings()}
    for name, part in known.items():
        if not hasattr(body, name):
            setattr(body, name, part)
    return body


def _by_stimulus(found: Mapping[str, torch.Tensor], n_stimuli: int) -> Batch:
    """Let the first dimension of every input be the stimulus, whatever the library flattened.

    Images of one size have as many rows each; what has not is no multiple of stimuli.
    """
    batch: Batch = {}
    for name, values in found.items():
        if len(values) == n_stimuli:
            batch[name] = values
        else:
            batch[ROWS + name] = values.reshape(n_stimuli, -1, *values.shape[1:])
    return batch
