"""A tiny Qwen2-VL in the hub's layout, which `brainstruct.models.auto` finds by itself."""

from pathlib import Path
from shutil import copyfile

from tokenizers import AddedToken
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from brainstruct.models.tiny import hub, vocabulary
from brainstruct.models.tiny.network import blocks, spared, write_network

PAD, BEGIN, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
IMAGE, VIDEO = "<|image_pad|>", "<|video_pad|>"
CONTROLS = range(188, 220)  # ids of the bytes 0x00 to 0x1F
VISION = ("<|vision_start|>", "<|vision_end|>")


def build(folder: Path, seed: int, n_blocks: int = 28, width: int = 64) -> None:
    """Write the checkpoint; `width` is a multiple of 32. See `brainstruct.models.tiny`."""
    tokenizer = vocabulary.qwen_tokenizer()
    added = (PAD, BEGIN, END, *VISION, IMAGE, VIDEO)
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in added])
    own = hub.stated("qwen2_vl.json")
    hub.write_tokenizer(tokenizer, folder, own["tokenizer_config.json"])
    copyfile(Path(__file__).with_name("qwen2_vl.jinja"), folder / "chat_template.jinja")
    images = Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=56 * 56)
    hub.write_beside(images, folder, {"processor_class": "Qwen2VLProcessor"})
    ids = {token: vocabulary.token_id(tokenizer, token) for token in added}
    text = blocks(n_blocks, width) | {
        "bos_token_id": ids[PAD],
        "eos_token_id": ids[END],
        "max_position_embeddings": 4096,
        "num_key_value_heads": 2,
        "rope_parameters": {
            "mrope_section": [width // 32, width // 32 * 3 // 2, width // 8 - width // 32 * 5 // 2],
            "rope_theta": 1e6,
            "rope_type": "default",
        },
        "tie_word_embeddings": False,
        "vocab_size": spared(tokenizer.get_vocab_size()),
    }
    network = Qwen2VLForConditionalGeneration(
        Qwen2VLConfig(
            text_config=text,
            vision_config={"depth": 2, "embed_dim": 32, "hidden_size": width, "num_heads": 4},
            image_token_id=ids[IMAGE],
            video_token_id=ids[VIDEO],
            vision_start_token_id=ids[VISION[0]],
            vision_end_token_id=ids[VISION[1]],
        )
    )
    write_network(network, folder, seed, ids[PAD], end_ids=(ids[END], *CONTROLS))
