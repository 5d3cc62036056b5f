"""Tiny checkpoints have what files of the hub have, each another mixture of it."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import CLIPConfig, LlavaConfig

from brainstruct.models import tiny
from brainstruct.models.declared import stated_blocks
from brainstruct.models.files import as_config
from brainstruct.models.mplug_owl.prompt import PromptTokenizer

INSTRUCTION = "What is in this image?"


@pytest.fixture
def read(checkpoint):
    return lambda kind, name: json.loads((checkpoint(kind) / name).read_text())


def test_images_are_prepared_as_in_three_years(checkpoint, read):
    clip, vit = (read(kind, "preprocessor_config.json") for kind in ("clip", "vit"))
    assert (clip["size"], clip["crop_size"], vit["size"]) == (28, 28, 28)
    assert clip["feature_extractor_type"] == "CLIPFeatureExtractor"
    assert not {"do_rescale", "image_processor_type"} & {*clip, *vit}
    assert "image_processor" not in read("instructblip", "processor_config.json")
    assert read("instructblip", "preprocessor_config.json")["do_rescale"]
    assert read("llava", "processor_config.json")["image_processor"]["crop_size"]
    assert not (checkpoint("llava") / "preprocessor_config.json").exists()


def test_a_processor_of_2022_makes_the_pixels_of_today(load, pictures):
    for family, std in (("clip-image", 0.26862954), ("vit", 0.5)):
        pixels = load(family).prepare(pictures(2), [""] * 2)["pixel_values"]
        assert pixels.shape == (2, 3, 28, 28)
        assert 0.5 / std < pixels.max() - pixels.min() <= 1 / 0.25  # of 0 to 1, not of 0 to 255


def test_configurations_state_much_or_little(read):
    clip, vit = read("clip", "config.json"), read("vit", "config.json")
    assert clip["text_config"]["num_beams"] == 1
    assert clip["text_config_dict"].items() <= clip["text_config"].items()
    assert "rope_parameters" not in read("instructblip", "config.json")["text_config"]
    assert not {"dtype", "torch_dtype"} & {*vit}
    for kind in ("clip", "idefics", "instructblip", "llava"):
        assert "torch_dtype" in read(kind, "config.json")
        assert "dtype" not in read(kind, "config.json")


def test_what_llava_leaves_out_is_filled_in(tmp_path):
    tiny.build("llava", tmp_path / "llava", width=8)
    stated = json.loads((tmp_path / "llava/config.json").read_text())
    assert not {"num_hidden_layers", "eos_token_id", "pad_token_id"} & {*stated["text_config"]}
    assert stated_blocks(stated, "llava") == 32
    text = as_config(tmp_path / "llava", stated, LlavaConfig).text_config
    assert (text.num_hidden_layers, text.eos_token_id, text.head_dim) == (32, 2, 2)


def test_tokenizers_are_of_several_years(read):
    clip, idefics, blip, llava = (
        read(kind, "tokenizer_config.json") for kind in ("clip", "idefics", "instructblip", "llava")
    )
    assert clip["bos_token"]["__type"] == idefics["bos_token"]["__type"] == "AddedToken"
    assert idefics["pad_token"] is None
    assert blip["added_tokens_decoder"]["769"]["content"] == "<image>"
    assert llava["extra_special_tokens"] == {"image_token": "<image>"}
    assert {one["model_max_length"] for one in (idefics, blip, llava)} == {int(1e30)}
    merges = {
        kind: read(kind, "tokenizer.json")["model"]["merges"][0] for kind in ("clip", "llava")
    }
    assert [type(one) for one in merges.values()] == [str, list]
    assert read("llava", "tokenizer.json")["truncation"]["max_length"] == 16


@pytest.mark.parametrize("told", [None, {}, {"num_hidden_layers": 7}])
def test_what_clip_states_twice_is_taken_as_the_library_takes_it(told):
    stated = {"text_config": {"num_hidden_layers": 3}, "text_config_dict": told}
    expected = CLIPConfig.from_dict(stated).text_config.num_hidden_layers
    assert stated_blocks(stated, "clip-text") == expected


@pytest.mark.parametrize("kind", ["idefics", "llava"])
def test_weights_come_in_shards(checkpoint, read, kind):
    index = read(kind, "model.safetensors.index.json")
    shards = {path.name for path in checkpoint(kind).glob("model-*.safetensors")}
    assert shards == {*index["weight_map"].values()}
    assert len(shards) > 1


@pytest.mark.parametrize("family", ["instructblip", "llava"])
def test_a_response_of_ids_that_no_token_has_is_a_response_without_text(load, pictures, family):
    model = load(family)
    n_tokens, rows = len(model.tokenizer), model.network.get_output_embeddings().weight
    assert n_tokens < len(rows) == 832
    with torch.no_grad():
        rows[:n_tokens] = 0
    found = model.embed(pictures(2), [INSTRUCTION] * 2)
    assert found.responses == ["", ""]
    assert found.n_tokens.tolist() == [6, 6]
    assert model.decode([300, n_tokens, 831, 301]) == model.decode([300, 301])


def test_sentencepiece_decodes_them_to_nothing(checkpoint):
    tokenizer = PromptTokenizer(checkpoint("mplug-owl") / "tokenizer.model", 17)
    spare = [tokenizer.n_tokens, tokenizer.n_tokens + 63]
    assert tokenizer.decode([300, *spare, 301]) == tokenizer.decode([300, 301])
    assert tokenizer.decode(spare) == ""
