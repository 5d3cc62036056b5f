"""A tiny CLIP in the hub's layout."""

from __future__ import annotations

from pathlib import Path

from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

from brainstruct.models.tiny import vocabulary
from brainstruct.models.tiny.weights import spread


def build(
    folder: Path, seed: int, n_blocks: int = 24, n_text_blocks: int = 12, width: int = 32
) -> None:
    """Write the checkpoint.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    seed : int
        Seed of the weights.
    n_blocks, n_text_blocks : int
        Blocks of the image and the text tower; each has one hidden state more.
    width : int
        Features per token of both towers, a multiple of 4.
    """
    tokenizer = vocabulary.clip_tokenizer()
    begin, end = vocabulary.CLIP_BEGIN, vocabulary.CLIP_END
    vocabulary.write_tokenizer(
        tokenizer,
        folder,
        {
            "tokenizer_class": "CLIPTokenizer",
            "bos_token": begin,
            "eos_token": end,
            "unk_token": end,
            "pad_token": end,
            "model_max_length": 77,
        },
    )
    CLIPImageProcessorPil(
        size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}
    ).save_pretrained(folder)
    network = CLIPModel(
        CLIPConfig(
            text_config={
                "vocab_size": tokenizer.get_vocab_size(),
                "hidden_size": width,
                "intermediate_size": 2 * width,
                "num_hidden_layers": n_text_blocks,
                "num_attention_heads": 4,
                "max_position_embeddings": 77,
                "bos_token_id": tokenizer.token_to_id(begin),
                "eos_token_id": tokenizer.token_to_id(end),
                "pad_token_id": tokenizer.token_to_id(end),
            },
            vision_config={
                "hidden_size": width,
                "intermediate_size": 2 * width,
                "num_hidden_layers": n_blocks,
                "num_attention_heads": 4,
                "image_size": 28,
                "patch_size": 7,
            },
            projection_dim=width,
        )
    )
    spread(network, seed)
    network.save_pretrained(folder)
