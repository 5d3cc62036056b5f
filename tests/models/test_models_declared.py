"""What small files say of a checkpoint is held against what the families run."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file
from transformers import AutoConfig

from brainstruct.errors import InputError
from brainstruct.models.declared import stated_blocks
from brainstruct.models.files import inspect_weights, read_checkpoint
from brainstruct.models.mplug_owl.configuration import MPlugOwlConfig
from brainstruct.models.registry import FAMILIES

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 499723\n"


@pytest.fixture
def copy(checkpoint, tmp_path):
    """A checkpoint that a test may spoil."""
    return lambda kind: shutil.copytree(checkpoint(kind), tmp_path / kind)


def change(path, **entries):
    content = json.loads(path.read_text()) | entries
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))


@pytest.mark.parametrize("family", [one for one in FAMILIES if FAMILIES[one].model_type])
def test_defaults_are_the_library_s(family):
    entry = FAMILIES[family]
    parts = {"text_config": {"model_type": "llama"}} if entry.has_image_token else {}
    config = (
        MPlugOwlConfig()
        if family == "mplug-owl"
        else AutoConfig.for_model(entry.model_type, **parts)
    )
    whole = config if entry.part is None else getattr(config, entry.part)
    assert stated_blocks({}, family) == whole.num_hidden_layers
    if entry.usual_image_token is not None:
        assert entry.usual_image_token == config.image_token_id


def test_what_is_stated_counts():
    assert stated_blocks({"text_config": {"num_hidden_layers": 7}}, "llava") == 7
    assert stated_blocks({"text_config": None}, "llava") == 32
    assert stated_blocks({"num_hidden_layers": 9}, "idefics") == 9
    assert stated_blocks({"text_config": {"num_hidden_layers": "7"}}, "llava") is None
    assert stated_blocks({"text_config": [1]}, "llava") is None


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("llava", "tokenizer.json"),
        ("llava", "tokenizer_config.json"),
        ("mplug-owl", "tokenizer.model"),
        ("clip-text", "tokenizer.json"),
    ],
)
def test_pointers_are_named_before_anything_is_loaded(copy, family, name):
    folder = copy(family.split("-")[0] if "clip" in family else family)
    (folder / name).write_text(POINTER)
    with pytest.raises(InputError, match=r"is a Git LFS pointer.*git lfs pull") as refused:
        read_checkpoint(folder, family)
    assert refused.value.where == str(folder / name)


def test_all_pointers_are_named(copy):
    folder = copy("idefics")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_text(POINTER)
    with pytest.raises(InputError, match=r"tokenizer\.json is a .*; tokenizer_config\.json is a"):
        read_checkpoint(folder, "idefics")


@pytest.mark.parametrize(
    ("place", "stated", "words"),
    [
        (None, {"quantization_config": {"quant_method": "bitsandbytes"}}, "bitsandbytes"),
        (None, {"compression_config": {"quant_method": "compressed-tensors"}}, "compressed"),
        ("text_config", {"quantization_config": {"quant_method": "awq"}}, "awq"),
    ],
)
def test_quantised_configurations_are_named(copy, place, stated, words):
    path = copy("llava") / "config.json"
    if place:
        stated = {place: json.loads(path.read_text())[place] | stated}
    change(path, **stated)
    with pytest.raises(InputError, match=rf"quantised weights.*{words}"):
        read_checkpoint(path.parent, "llava")


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        ("layers.0.up_proj.weight.absmax", "quantised"),
        ("layers.0.up_proj.weight.quant_state.bitsandbytes__nf4", "quantised"),
        ("layers.0.up_proj.qweight", "quantised"),
        ("base_model.model.layers.0.q_proj.lora_A.weight", "adapter"),
        ("layers.0.q_proj.base_layer.weight", "adapter"),
    ],
)
def test_foreign_tensors_are_named(tmp_path, tensor, words):
    save_file({tensor: np.ones(2, np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=words):
        inspect_weights(tmp_path)


def test_adapters_are_named_and_their_base(copy):
    folder = copy("llava")
    said = {"peft_type": "LORA", "base_model_name_or_path": "llava-hf/llava-1.5-7b-hf"}
    (folder / "adapter_config.json").write_text(json.dumps(said))
    with pytest.raises(InputError, match=r"adapter \(LORA\) of llava-hf.*merge_and_unload"):
        read_checkpoint(folder, "llava")
    (folder / "config.json").unlink()  # as adapters are published
    with pytest.raises(InputError, match="adapter"):
        read_checkpoint(folder, "llava")


@pytest.mark.parametrize("family", ["llava", "instructblip"])
def test_the_image_token_is_the_tokenizer_s(copy, family):
    folder = copy(family)
    config = json.loads((folder / "config.json").read_text())
    key = "image_token_index" if "image_token_index" in config else "image_token_id"
    change(folder / "config.json", **{key: config[key] - 1})
    said = rf"is {config[key] - 1}, the tokenizer says {config[key]}"
    with pytest.raises(InputError, match=said):
        read_checkpoint(folder, family)


def test_the_library_appends_instructblip_s_image_token(copy):
    folder = copy("instructblip")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    last = tokenizer["added_tokens"].pop()
    assert last["content"] == "<image>"
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    read_checkpoint(folder, "instructblip")
    tokenizer["added_tokens"].pop()
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(InputError, match=rf"the tokenizer says {last['id'] - 1}"):
        read_checkpoint(folder, "instructblip")


def test_llava_s_default_counts_where_none_is_stated(copy):
    folder = copy("llava")
    change(folder / "config.json", image_token_index=None, image_token_id=None)
    with pytest.raises(InputError, match="image_token_index is 32000, the tokenizer says"):
        read_checkpoint(folder, "llava")


def test_every_broken_shard_is_named(tmp_path):
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for name in names:
        (tmp_path / name).write_text(POINTER)
    index = {"weight_map": {"a": names[0], "b": names[1]}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="git lfs pull") as refused:
        inspect_weights(tmp_path)
    assert all(f"{name} is a Git LFS pointer" in str(refused.value) for name in names)
