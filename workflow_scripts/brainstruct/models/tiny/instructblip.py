"""A tiny InstructBLIP in the hub's layout."""

from __future__ import annotations

import json
from pathlib import Path

from transformers import (
    BlipImageProcessorPil,
    GenerationConfig,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
)

from brainstruct.models.tiny import vocabulary
from brainstruct.models.tiny.weights import spread

IMAGE_TOKEN = "<image>"
PAD_TOKEN = "[PAD]"


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 64, n_queries: int = 8) -> None:
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
    n_queries : int
        Image tokens.
    """
    # The real checkpoint (Vicuna) begins texts with </s>, too.
    begin = vocabulary.LLAMA_END
    tokenizer = vocabulary.llama_tokenizer(begin, added=(PAD_TOKEN, IMAGE_TOKEN))
    pad_id, image_id = tokenizer.token_to_id(PAD_TOKEN), tokenizer.token_to_id(IMAGE_TOKEN)
    end_id = tokenizer.token_to_id(vocabulary.LLAMA_END)
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
    BlipImageProcessorPil(size={"height": 28, "width": 28}).save_pretrained(folder)
    processor = {"processor_class": "InstructBlipProcessor", "num_query_tokens": n_queries}
    (folder / "processor_config.json").write_text(
        json.dumps(processor, indent=2) + "\n", encoding="utf-8"
    )
    config = InstructBlipConfig(
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "image_size": 28,
            "patch_size": 7,
        },
        qformer_config={
            "vocab_size": questions.get_vocab_size(),
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 64,
            "encoder_hidden_size": 32,
            "max_position_embeddings": 512,
        },
        text_config={
            "model_type": "llama",
            "architectures": ["LlamaForCausalLM"],
            "vocab_size": tokenizer.get_vocab_size(),
            "hidden_size": width,
            "intermediate_size": 2 * width,
            "num_hidden_layers": n_blocks,
            "num_attention_heads": 4,
            "max_position_embeddings": 2048,
            "bos_token_id": 1,
            "eos_token_id": end_id,
            "pad_token_id": pad_id,
            "tie_word_embeddings": False,
        },
        num_query_tokens=n_queries,
        image_token_index=image_id,
    )
    network = InstructBlipForConditionalGeneration(config)
    spread(network, seed)
    network.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        bos_token_id=1, eos_token_id=[end_id, *vocabulary.CONTROL_BYTES], pad_token_id=pad_id
    )
    network.save_pretrained(folder)
