"""A tiny InstructBLIP in the hub's layout of 2023, with what was added to it since."""

from pathlib import Path

from transformers import (
    BlipImageProcessorPil,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
)

from brainstruct.models.tiny import hub, vocabulary
from brainstruct.models.tiny.network import PATCHES, SQUARE, blocks, llama, spared, write_network

IMAGE_TOKEN = "<image>"
PAD_TOKEN = "[PAD]"


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 64, n_queries: int = 8) -> None:
    """Write the checkpoint; `width` is a multiple of 8, `n_queries` are the image tokens.

    See `brainstruct.models.tiny`.
    """
    own = hub.stated("instructblip.json")
    # The real checkpoint (Vicuna) begins texts with </s>, too.
    tokenizer = vocabulary.llama_tokenizer(vocabulary.LLAMA_END, added=(PAD_TOKEN, IMAGE_TOKEN))
    hub.write_tokenizer(tokenizer, folder, own["tokenizer_config.json"])
    questions, place = vocabulary.bert_tokenizer(), "qformer_tokenizer"
    hub.write_tokenizer(questions, folder / place, own[f"{place}/tokenizer_config.json"])
    processor = own["processor_config.json"] | {"num_query_tokens": n_queries}
    hub.write_beside(BlipImageProcessorPil(size=SQUARE), folder, processor)
    reader = {
        "vocab_size": questions.get_vocab_size(),
        "encoder_hidden_size": 32,
        "max_position_embeddings": 512,
        **blocks(2, 32),
    }
    n_tokens = tokenizer.get_vocab_size()
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
    hub.restate(
        folder,
        transformers_version=None,
        **{name: hub.in_full(getattr(config, name)) for name in parts},
    )
