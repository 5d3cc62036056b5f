"""Build a tiny mPLUG-Owl checkpoint with random weights, in the published layout.

It has every part of a real one, so that tests and the demo study run through
the code that reads and runs a real one.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from sentencepiece import SentencePieceTrainer
from transformers.utils.constants import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from brainstruct.models.mplug_owl.configuration import MPlugOwlConfig
from brainstruct.models.mplug_owl.modeling import MPlugOwlForConditionalGeneration
from brainstruct.models.mplug_owl.prompt import IMAGE_MARK, TEMPLATE
from brainstruct.models.tiny.network import blocks, llama, spread
from brainstruct.models.tiny.vocabulary import CONTROL_BYTES, SENTENCES
from brainstruct.store.files import write_json

VOCABULARY = 768
"""Tokens: 3 control tokens, 256 bytes, and pieces of the corpus."""


def build(
    folder: Path,
    seed: int,
    *,
    n_blocks: int = 32,
    width: int = 64,
    n_heads: int = 4,
    vision_width: int = 32,
    vision_layers: int = 2,
    image_size: int = 56,
    n_queries: int = 16,
    eos_ids: Sequence[int] = (2, *CONTROL_BYTES),
) -> None:
    """Write the checkpoint; see `brainstruct.models.tiny`.

    The abstractor has the width and the layers of the vision tower; the image, whose size is
    a multiple of the 14 pixels of a patch, takes one vector more than there are queries.
    Random weights rarely choose the usual end token, 2; several make responses of
    different lengths. The tokenizer does not depend on the seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.model").write_bytes(_train_tokenizer())
    tower = blocks(vision_layers, vision_width)
    content: dict[str, Any] = {
        "model_type": "mplug-owl",
        "num_query_tokens": n_queries,
        "vision_config": {
            "model_type": "mplug_owl_vision_model",
            "image_size": image_size,
            "patch_size": 14,
            **tower,
        },
        "visual_abstractor_config": {
            "model_type": "mplug_owl_visual_abstract",
            "encoder_hidden_size": vision_width,
            **tower,
        },
        "text_config": {
            **llama(VOCABULARY, n_blocks, width, pad_id=0, n_heads=n_heads),
            "rms_norm_eps": 1e-6,
            "eos_token_id": eos_ids[0] if len(eos_ids) == 1 else list(eos_ids),
        },
    }
    images = {
        "do_resize": True,
        "size": {"height": image_size, "width": image_size},
        "resample": 3,
        "do_rescale": True,
        "do_normalize": True,
        "image_mean": OPENAI_CLIP_MEAN,
        "image_std": OPENAI_CLIP_STD,
    }
    write_json(content, folder / "config.json")
    write_json(images, folder / "preprocessor_config.json")
    model = MPlugOwlForConditionalGeneration(MPlugOwlConfig(**content))
    spread(model, seed)
    save_file(model.state_dict(), folder / "model.safetensors", metadata={"format": "pt"})


def _train_tokenizer() -> bytes:
    """Train a SentencePiece model with LLaMA's settings; the same bytes each time."""
    model = io.BytesIO()
    corpus = (*TEMPLATE.replace(IMAGE_MARK, "").split("\n"), *SENTENCES)
    SentencePieceTrainer.train(
        sentence_iterator=iter(corpus),
        model_writer=model,
        model_type="bpe",
        vocab_size=VOCABULARY,
        byte_fallback=True,
        split_digits=True,
        allow_whitespace_only_pieces=True,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()
