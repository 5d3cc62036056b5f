"""Weights on several devices give the states that weights on one give."""

from __future__ import annotations

import pytest
import torch

from brainstruct.errors import InputError
from brainstruct.models import loading

INSTRUCTION = "What is in this image?"


def test_several_gpus_need_the_package_that_spreads(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    assert loading._spread(torch.device("cpu")) == {}
    with pytest.raises(InputError, match=r"models\[\]\.gpus: .*accelerate.* is missing"):
        loading._spread(torch.device("cuda"))
    monkeypatch.setattr(loading, "find_spec", lambda name: name)
    assert loading._spread(torch.device("cuda")) == {"device_map": "auto"}
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert loading._spread(torch.device("cuda")) == {}


@pytest.mark.parametrize("random_seed", [None, 1])
@pytest.mark.parametrize("pooling", ["response_mean", "prompt_mean"])
def test_states_of_weights_on_two_devices(
    load, pictures, tmp_path, monkeypatch, random_seed, pooling
):
    """Here the devices are memory and disk: the library's hooks move weights, ours hear states."""
    pytest.importorskip("accelerate", reason="the package that spreads weights is not installed")
    options = {"dtype": "float32", "device": "cpu", "pooling": pooling, "random_seed": random_seed}
    images = pictures(3)
    whole = load("auto", **options).embed(images, [INSTRUCTION] * 3)

    blocks = "model.language_model.layers"
    places = {"": "cpu", f"{blocks}.1": "disk", f"{blocks}.3": "disk"}
    network = load("auto", **options).network
    names = {name for name, _ in network.named_modules()}
    assert set(places) <= names
    parts = dict.fromkeys(leaves(network, blocks), "cpu") | places
    del parts[""]
    spread = {"device_map": parts, "offload_folder": str(tmp_path)}
    monkeypatch.setattr(loading, "_spread", lambda device: spread)
    model = load("auto", **options)
    kept = {parameter.device.type for parameter in model.network.parameters()}
    assert kept == {"cpu", "meta"}  # what is on disk has no numbers in memory
    found = model.embed(images, [INSTRUCTION] * 3)
    torch.testing.assert_close(found.states, whole.states, rtol=1e-5, atol=1e-6)
    assert found.responses == whole.responses


def leaves(network, blocks):
    """Modules that hold all parameters between them, each block one."""
    names = [name for name, part in network.named_modules() if list(part.parameters(recurse=False))]
    inside = {".".join(name.split(".")[: blocks.count(".") + 2])
              for name in names if name.startswith(f"{blocks}.")}  # fmt: skip
    return inside | {name for name in names if not name.startswith(f"{blocks}.")}
