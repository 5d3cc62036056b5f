"""A tiny InstructBLIP in the hub's layout of 2023, with what was added to it since."""

from __future__ import annotations

from pathlib import Path

from transformers import (
    BlipImageProcessorPil,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
)

from brainstruct.models.tiny import vocabulary
from brainstruct.models.tiny.configurations import in_full, restate
from brainstruct.models.tiny.network import PATCHES, SQUARE, blocks, llama, spared, write_network
from brainstruct.models.tiny.processors import write_beside
from brainstruct.models.tiny.tokenizer_files import (
    NO_LIMIT,
    added_token,
    added_tokens_decoder,
    write_tokenizer,
)

IMAGE_TOKEN = "<image>"
PAD_TOKEN = "[PAD]"


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 64, n_queries: int = 8) -> None:
    """Write the checkpoint; `width` is a multiple of 8, `n_queries` are the image tokens.

    See `brainstruct.models.tiny`.
    """
    n_tokens = _write_tokenizer(folder)
    write_beside(
        BlipImageProcessorPil(size=SQUARE),
        folder,
        image_token=added_token(IMAGE_TOKEN),
        num_query_tokens=n_queries,
        processor_class="InstructBlipProcessor",
        qformer_tokenizer_class="BertTokenizer",
    )
    reader = {
        "vocab_size": _write_question_tokenizer(folder / "qformer_tokenizer"),
        "encoder_hidden_size": 32,
        "max_position_embeddings": 512,
        **blocks(2, 32),
    }
    pad_id = n_tokens - 2
    text = llama(spared(n_tokens), n_blocks, width, pad_id)
    config = InstructBlipConfig(
        vision_config=blocks(2, 32) | PATCHES,
        qformer_config=reader,
        text_config=text | {"architectures": ["LlamaForCausalLM"]},
        num_query_tokens=n_queries,
        image_token_index=n_tokens - 1,
    )
    write_network(InstructBlipForConditionalGeneration(config), folder, seed, pad_id)
    parts = ("vision_config", "qformer_config", "text_config")
    restate(
        folder,
        transformers_version=None,
        **{name: in_full(getattr(config, name)) for name in parts},
    )


def _write_tokenizer(folder: Path) -> int:
    """Write the language model's tokenizer, and return the number of its tokens."""
    # The real checkpoint (Vicuna) begins texts with </s>, too.
    begin = vocabulary.LLAMA_END
    tokenizer = vocabulary.llama_tokenizer(begin, added=(PAD_TOKEN, IMAGE_TOKEN))
    config = {
        "add_bos_token": True,
        "added_tokens_decoder": added_tokens_decoder(tokenizer),
        "bos_token": begin,
        "clean_up_tokenization_spaces": False,
        "eos_token": vocabulary.LLAMA_END,
        "legacy": True,
        "model_max_length": NO_LIMIT,
        "pad_token": PAD_TOKEN,
        "padding_side": "left",
        "tokenizer_class": "LlamaTokenizer",
        "truncation_side": "left",
        "unk_token": vocabulary.LLAMA_UNKNOWN,
    }
    write_tokenizer(tokenizer, folder, config)
    return int(tokenizer.get_vocab_size())


def _write_question_tokenizer(folder: Path) -> int:
    """Write the Q-Former's tokenizer, and return the number of its tokens."""
    tokenizer = vocabulary.bert_tokenizer()
    config = {
        "added_tokens_decoder": added_tokens_decoder(tokenizer),
        "bos_token": "[DEC]",
        "clean_up_tokenization_spaces": True,
        "cls_token": "[CLS]",
        "do_lower_case": True,
        "mask_token": "[MASK]",
        "model_max_length": 512,
        "pad_token": "[PAD]",
        "sep_token": "[SEP]",
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "tokenizer_class": "BertTokenizer",
        "truncation_side": "left",
        "unk_token": "[UNK]",
    }
    write_tokenizer(tokenizer, folder, config)
    return int(tokenizer.get_vocab_size())
