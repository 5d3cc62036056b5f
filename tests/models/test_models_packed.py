"""Weights in 4 and 8 bits: what the library is asked for, and what is refused.

It packs on GPUs alone; here stand-ins take its place, and nothing is packed.
"""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import pytest
import torch

from brainstruct.embedding.block import block_identity
from brainstruct.errors import InputError
from brainstruct.models import loading
from brainstruct.models.declared import packed_bits
from brainstruct.models.files import read_checkpoint
from brainstruct.models.interface import ModelOptions
from brainstruct.models.opening import family_class

STORED = {
    "quant_method": "bitsandbytes",
    "load_in_4bit": True,
    "bnb_4bit_quant_type": "fp4",
    "bnb_4bit_compute_dtype": "float32",
}


@pytest.fixture
def there(monkeypatch):
    """Packages and a GPU, as far as the code that asks for them can tell."""
    monkeypatch.setattr(loading, "find_spec", lambda name: name)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    placed = (torch.device("cuda"), torch.bfloat16)
    monkeypatch.setattr(ModelOptions, "placement", lambda self: placed)


@pytest.mark.parametrize("weights", ["4bit", "8bit"])
def test_the_library_is_asked_to_pack(tmp_path, there, weights):
    asked = loading._packing(None, ModelOptions(tmp_path, 5, weights=weights), {})
    assert asked["device_map"] == {"": 0}
    wanted = asked["quantization_config"]
    assert (wanted.load_in_4bit, wanted.load_in_8bit) == (weights == "4bit", weights == "8bit")
    assert (wanted.bnb_4bit_quant_type, wanted.bnb_4bit_compute_dtype) == ("nf4", torch.bfloat16)


def test_what_a_checkpoint_says_is_believed_but_for_the_precision(tmp_path, there):
    config = SimpleNamespace()
    asked = loading._packing(config, ModelOptions(tmp_path, 5), {"quantization_config": STORED})
    assert asked == {"device_map": {"": 0}}
    assert config.quantization_config == STORED | {"bnb_4bit_compute_dtype": torch.bfloat16}


def test_whole_weights_are_asked_for_as_before(tmp_path):
    assert loading._packing(None, ModelOptions(tmp_path, 5), {}) == {}


@pytest.mark.parametrize(
    ("options", "stated", "lack", "said"),
    [
        ({"weights": "4bit"}, {"quantization_config": STORED}, "", "leave models"),
        ({"random_seed": 1}, {"quantization_config": STORED}, "", "random ones are whole"),
        ({"weights": "8bit"}, {}, "package", "pip install"),
        ({"weights": "8bit"}, {}, "gpu", "need a GPU"),
        ({}, {"quantization_config": STORED}, "gpu", "need a GPU"),
    ],
)
def test_what_cannot_be_packed_is_one_line(
    tmp_path, there, monkeypatch, options, stated, lack, said
):
    if lack == "package":
        monkeypatch.setattr(loading, "find_spec", {"accelerate": 1}.get)
    if lack == "gpu":
        monkeypatch.setattr(
            ModelOptions, "placement", lambda self: (torch.device("cpu"), torch.float32)
        )
    with pytest.raises(InputError, match=said):
        loading._packing(None, ModelOptions(tmp_path, 5, **options), stated)


def test_arguments_reach_the_library(checkpoint, there, monkeypatch):
    """The loader of weights gets them, and what it returns is not moved again."""
    given = {}

    def from_pretrained(folder, **arguments):
        given.update(arguments)
        raise ImportError("bitsandbytes is too old")

    known = loading.empty_network

    def empty(network_class, config, folder, **arguments):
        monkeypatch.setattr(network_class, "from_pretrained", from_pretrained)
        return known(network_class, config, folder, **arguments)

    monkeypatch.setattr(loading, "empty_network", empty)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError, match="bitsandbytes is too old"):
        family_class("auto").load(ModelOptions(checkpoint("qwen2-vl"), 5, weights="4bit"))
    assert given["device_map"] == "auto"  # over both GPUs
    assert given["quantization_config"].load_in_4bit
    assert given["dtype"] == torch.bfloat16


def test_packed_checkpoints_pass_the_look_at_their_files(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("llava"), tmp_path / "llava")
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"quantization_config": STORED}))
    assert packed_bits(read_checkpoint(folder, "llava")) == 4


def test_packed_states_have_an_identity_of_their_own(load):
    model = load("auto")
    whole = block_identity(model, [0], "What?", range(5), "float32", {})
    options = {"n_layers": 5, "max_new_tokens": 6, "weights": "8bit"}
    model.options = ModelOptions(model.options.checkpoint, **options)
    packed = block_identity(model, [0], "What?", range(5), "float32", {})
    assert "weights" not in whole
    assert packed == whole | {"weights": "8bit"}
