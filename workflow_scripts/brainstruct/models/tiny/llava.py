"""A tiny LLaVA-1.5 in the hub's layout."""

from __future__ import annotations

from pathlib import Path

from transformers import (
    CLIPImageProcessorPil,
    GenerationConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
)

from brainstruct.models.llava import IMAGE_TOKEN
from brainstruct.models.tiny import vocabulary
from brainstruct.models.tiny.weights import spread

PAD_TOKEN = "<pad>"


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 64) -> None:
    """Write the checkpoint.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    seed : int
        Seed of the weights.
    n_blocks : int
        Blocks of the language model; it has one hidden state more.
    width : int
        Features per token of the language model, a multiple of 8.
    """
    begin = vocabulary.LLAMA_BEGIN
    tokenizer = vocabulary.llama_tokenizer(begin, added=(IMAGE_TOKEN, PAD_TOKEN))
    image_id, pad_id = (tokenizer.get_vocab()[token] for token in (IMAGE_TOKEN, PAD_TOKEN))
    vocabulary.write_llama_tokenizer(tokenizer, folder, begin=begin, pad=PAD_TOKEN)
    CLIPImageProcessorPil(
        size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}
    ).save_pretrained(folder)
    config = LlavaConfig(
        vision_config={
            "model_type": "clip_vision_model",
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "image_size": 28,
            "patch_size": 7,
            "projection_dim": 32,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": tokenizer.get_vocab_size(),
            "hidden_size": width,
            "intermediate_size": 2 * width,
            "num_hidden_layers": n_blocks,
            "num_attention_heads": 4,
            "max_position_embeddings": 2048,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": pad_id,
            "tie_word_embeddings": False,
        },
        image_token_index=image_id,
        image_seq_length=16,
    )
    network = LlavaForConditionalGeneration(config)
    spread(network, seed)
    network.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        bos_token_id=1, eos_token_id=[2, *vocabulary.CONTROL_BYTES], pad_token_id=pad_id
    )
    network.save_pretrained(folder)
