"""A tiny LLaVA-1.5 in the hub's layout, its small files as transformers 5 writes them."""

from pathlib import Path

import torch
from transformers import CLIPImageProcessorPil, LlavaConfig, LlavaForConditionalGeneration

from brainstruct.models.declared import IMAGE_TOKEN
from brainstruct.models.tiny import hub, vocabulary
from brainstruct.models.tiny.network import PATCHES, SQUARE, blocks, llama, spared, write_network

PAD_TOKEN = "<pad>"


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 64) -> None:
    """Write the checkpoint; `width` is a multiple of 8. See `brainstruct.models.tiny`."""
    own = hub.stated("llava.json")
    tokenizer = vocabulary.llama_tokenizer(vocabulary.LLAMA_BEGIN, added=(IMAGE_TOKEN, PAD_TOKEN))
    pad_id = vocabulary.token_id(tokenizer, PAD_TOKEN)
    # What whoever saved it last had set.
    tokenizer.enable_padding(direction="left", pad_id=pad_id, pad_token=PAD_TOKEN)
    tokenizer.enable_truncation(16)
    hub.write_tokenizer(tokenizer, folder, own["tokenizer_config.json"], merges=list)
    images = CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size=SQUARE)
    hub.write_inside(images, folder, own["processor_config.json"])
    tower = {"model_type": "clip_vision_model", "projection_dim": 32}
    text = llama(spared(pad_id + 1), n_blocks, width, pad_id)
    config = LlavaConfig(
        vision_config=tower | blocks(3, 32) | PATCHES,
        text_config=text | {"max_position_embeddings": 4096, "rms_norm_eps": 1e-5},
        image_token_index=pad_id - 1,
        image_seq_length=16,
    )
    network = LlavaForConditionalGeneration(config)
    write_network(network, folder, seed, pad_id, shards=3, dtype=torch.float16)
    # As on the hub: hardly anything of the language model, whose pad token the tokenizer knows.
    said = hub.without_defaults(config.text_config) | {
        "_name_or_path": "lmsys/vicuna-7b-v1.5",
        "architectures": ["LlamaForCausalLM"],
        "torch_dtype": "float16",
    }
    hub.restate(folder, text_config={n: one for n, one in said.items() if n != "pad_token_id"})
