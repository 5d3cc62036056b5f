"""Encoders, which read a stimulus once and answer nothing: any that the library has.

``config.json`` says which network it is. Of one with several parts (two towers, or a tower and
a language model), the part is taken that reads the stimulus.
"""

from abc import abstractmethod
from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from PIL import Image
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    CONFIG_MAPPING,
    MODEL_MAPPING,
    AutoImageProcessor,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ViTImageProcessorPil,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_TEXT_ENCODING_MAPPING

from brainstruct.errors import InputError
from brainstruct.models.files import as_config, load_processor, read_checkpoint
from brainstruct.models.interface import STIMULUS, Batch, FeatureModel, Features, ModelOptions
from brainstruct.models.kinds import refused
from brainstruct.models.loading import empty_network, load_network, require_effect
from brainstruct.models.pooling import mean_state, without_response
from brainstruct.models.registry import FAMILIES, Modality
from brainstruct.models.tokens import load_tokenizer, require_bos, require_embedded
from brainstruct.store.faults import reading

_SIGHTED = {"vit_mae": "vit"}
"""Types whose networks hide patches at random, and those that see all with the same weights."""

_BY_PILLOW = {"dinov3_vit": ViTImageProcessorPil}
"""Types whose images the library prepares by torchvision alone, and what understands their
settings: it resizes whole numbers, which differs by rounding."""

_LONGEST = 512
"""Tokens of a text, where neither network nor tokenizer allow fewer."""

_UNLIKE = "gives no hidden states of one width, block by block (as convolutional networks do not)"

_CURE = "Name a transformer whose blocks are alike: ViT, DINOv2, CLIP, BERT, GPT-2 or their kin"


class Encoder(FeatureModel):
    """An encoder; a family says what makes inputs of stimuli. See `FeatureModel`.

    Features of a layer are the mean of its states over all tokens, special ones included, as
    in the published code of the study. The states are those that the library calls hidden: the
    last is taken after the final norm in models of text, before it in most that see.
    """

    family: ClassVar[str]
    mask: ClassVar[str]
    """Name of the input [stimulus, token] that is 0 where there is only padding."""

    def __init__(self, options: ModelOptions, network: Any, reader: Any) -> None:
        super().__init__(options, network, network)
        self.reader = reader

    @staticmethod
    @abstractmethod
    def open_reader(folder: Path, config: Any) -> Any:
        """Return the checkpoint's own tokenizer, or what makes pixels of images."""

    @classmethod
    def load(cls, options: ModelOptions) -> Self:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        content = read_checkpoint(folder, cls.family)
        stated = str(content.get("model_type"))
        known = _SIGHTED.get(stated, stated)
        if known not in CONFIG_MAPPING or CONFIG_MAPPING[known] not in MODEL_MAPPING:
            raise refused(folder, content, f"model_type {stated} is none of an encoder", _CURE)
        config = as_config(folder, content, CONFIG_MAPPING[known])
        reader = cls.open_reader(folder, config)
        kind, own, place = _part(folder, config, FAMILIES[cls.family].part)
        # What is pooled for heads is not asked for, and checkpoints with other heads lack it.
        spared = dict.fromkeys({"add_pooling_layer"} & signature(kind).parameters.keys(), False)
        network = load_network(kind, own, options, place=place, attn_implementation=None, **spared)
        model = cls(options, network, reader)
        what = f"checkpoint that works as {cls.family} ({kind.__name__})"
        with reading(folder, what, "Take all its files from one revision, or name another"):
            require_effect(model)
        return model

    def forward(self, batch: Batch) -> Features:
        """Embed a batch: in every layer, the mean over all tokens."""
        inputs = self.on_device(batch)
        inputs.pop(STIMULUS, None)
        with torch.inference_mode():
            said = self.network(**inputs, output_hidden_states=True)
        layers: tuple[torch.Tensor, ...] = getattr(said, "hidden_states", None) or ()
        n_stimuli, mask = len(next(iter(inputs.values()))), inputs.get(self.mask)
        found = [(*states.shape[:-2], states.shape[-1]) for states in layers]
        if found != [(n_stimuli, self.feature_dim)] * self.n_layers:
            raise InputError(self.options.checkpoint / "config.json", _UNLIKE, _CURE)
        if mask is None:
            means = [states.float().mean(1) for states in layers]
            n_tokens = torch.full((n_stimuli,), layers[0].shape[1])
        else:
            means = [mean_state(states, mask) for states in layers]
            n_tokens = mask.sum(1)
        return without_response(torch.stack(means, dim=1), n_tokens)


class ImageEncoder(Encoder):
    """An encoder of images; see `Encoder`."""

    modality: ClassVar[Modality] = "image"
    family = "image"
    mask = "pixel_attention_mask"

    @staticmethod
    def open_reader(folder: Path, config: Any) -> Any:
        """Return what makes pixels, by Pillow whether or not torchvision is installed."""
        kind = _BY_PILLOW.get(config.model_type)
        if kind is not None:
            return load_processor(kind, folder)
        return load_processor(AutoImageProcessor, folder, backend="pil", config=config)

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:  # noqa: ARG002
        """Turn images into pixels; see `FeatureModel.prepare`."""
        found = dict(self.reader(list(images), return_tensors="pt"))
        if any(len(values) != len(images) for values in found.values()):
            raise ValueError("its processor makes several pictures of an image")
        return found


class VisionTransformer(ImageEncoder):
    """ViT, under the name that the paper's study has."""

    family = "vit"


class ClipImage(ImageEncoder):
    """CLIP's image tower; layer 0 is taken after its first norm (what enters block 1)."""

    family = "clip-image"


class TextEncoder(Encoder):
    """An encoder of text; see `Encoder`.

    It embeds one text per stimulus. Where a stimulus has several captions, each
    is embedded by itself and whoever embeds a block averages them, so that a
    caption counts the same however long it is.
    """

    modality: ClassVar[Modality] = "text"
    family = "text"
    mask = "attention_mask"

    @staticmethod
    def open_reader(folder: Path, config: Any) -> PreTrainedTokenizerFast:  # noqa: ARG004
        """Return the tokenizer."""
        return load_tokenizer(folder)

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:  # noqa: ARG002
        """Turn texts into tokens, cut at the model's longest; see `FeatureModel.prepare`.

        Padding goes to the right, where causal attention never looks and positions are those
        of a text alone, whatever the tokenizer says.
        """
        positions = getattr(self.network.config, "max_position_embeddings", None) or _LONGEST
        longest = min(positions, self.reader.model_max_length, _LONGEST)
        said = self.reader(list(texts), padding=False, truncation=True, max_length=longest)
        rows = [torch.tensor(row, dtype=torch.int64) for row in said["input_ids"]]
        ids = pad_sequence(rows, batch_first=True)
        require_embedded(self.options.checkpoint, ids, self.network.get_input_embeddings())
        mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        return {"input_ids": ids, "attention_mask": mask}


class ClipText(TextEncoder):
    """CLIP's text tower: begin, words and end of a caption."""

    family = "clip-text"

    @staticmethod
    def open_reader(folder: Path, config: Any) -> PreTrainedTokenizerFast:
        """Return the tokenizer, which must begin a text as CLIP was trained."""
        tokenizer = TextEncoder.open_reader(folder, config)
        require_bos(folder, tokenizer, tokenizer("image")["input_ids"])
        return tokenizer


def _part(folder: Path, config: Any, name: str | None) -> tuple[Any, Any, str]:
    """Return what reads stimuli: its class, its configuration, and its place in the whole.

    `name` is that of the part in the configuration, if it has parts.
    """
    path, own = folder / "config.json", getattr(config, name or "", None)
    texts: Any = MODEL_FOR_TEXT_ENCODING_MAPPING
    kind: Any = MODEL_MAPPING[type(config)]
    place = ""
    if own is not None:
        whole = empty_network(kind, config, folder).named_modules()
        networks = (one for one in whole if isinstance(one[1], PreTrainedModel))
        found = (one for one in networks if type(one[1].config) is type(own))
        place, part = next(found, ("", None))
        if part is None:
            raise InputError(path, f"{config.model_type} has no network of its {name} alone", _CURE)
        kind = type(part)
    elif type(config) in texts:
        kind = texts[type(config)]
    elif config.is_encoder_decoder:
        raise InputError(path, f"{config.model_type} is an encoder-decoder", _CURE)
    own = own or config
    sized = all(hasattr(own, size) for size in ("num_hidden_layers", "hidden_size"))
    if not sized or isinstance(kind, tuple):
        raise InputError(path, _UNLIKE, _CURE)
    return kind, own, place
