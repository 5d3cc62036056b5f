"""A tiny InstructBLIP in the hub's layout."""

from __future__ import annotations

from pathlib import Path

from transformers import (
    BlipImageProcessorPil,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
)

from brainstruct.models.tiny import vocabulary
from brainstruct.models.tiny.network import PATCHES, SQUARE, blocks, llama, write_network

IMAGE_TOKEN = "<image>"
PAD_TOKEN = "[PAD]"


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 64, n_queries: int = 8) -> None:
    """Write the checkpoint; `width` is a multiple of 8, `n_queries` are the image tokens.

    See `brainstruct.models.tiny`.
    """
    # The real checkpoint (Vicuna) begins texts with </s>, too.
    begin = vocabulary.LLAMA_END
    tokenizer = vocabulary.llama_tokenizer(begin, added=(PAD_TOKEN, IMAGE_TOKEN))
    pad_id = vocabulary.token_id(tokenizer, PAD_TOKEN)
    vocabulary.write_llama_tokenizer(tokenizer, folder, begin=begin, pad=PAD_TOKEN)
    questions = vocabulary.bert_tokenizer()
    vocabulary.write_tokenizer(
        questions,
        folder / "qformer_tokenizer",
        {
            "tokenizer_class": "BertTokenizer",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "unk_token": "[UNK]",
            "pad_token": "[PAD]",
            "mask_token": "[MASK]",
            "bos_token": "[DEC]",
            "do_lower_case": True,
        },
    )
    BlipImageProcessorPil(size=SQUARE).save_pretrained(folder)
    vocabulary.write_settings(
        {"processor_class": "InstructBlipProcessor", "num_query_tokens": n_queries},
        folder / "processor_config.json",
    )
    reader = {
        "vocab_size": questions.get_vocab_size(),
        "encoder_hidden_size": 32,
        "max_position_embeddings": 512,
        **blocks(2, 32),
    }
    text = llama(tokenizer.get_vocab_size(), n_blocks, width, pad_id)
    config = InstructBlipConfig(
        vision_config=blocks(2, 32) | PATCHES,
        qformer_config=reader,
        text_config=text | {"architectures": ["LlamaForCausalLM"]},
        num_query_tokens=n_queries,
        image_token_index=vocabulary.token_id(tokenizer, IMAGE_TOKEN),
    )
    write_network(InstructBlipForConditionalGeneration(config), folder, seed, pad_id)
