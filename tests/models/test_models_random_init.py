from __future__ import annotations

import pytest
import torch
from torch import nn

from brainstruct.models.random_init import STANDARD_DEVIATION, initialise
from brainstruct.models.registry import FAMILIES


class Net(nn.Module):
    def __init__(self, names):
        super().__init__()
        parts = {
            "linear": lambda: nn.Linear(64, 64),
            "norm": lambda: nn.LayerNorm(8),
            "embedding": lambda: nn.Embedding(10, 8),
        }
        for name in names:
            self.add_module(name, parts[name]())
        self.alpha_cross_attn = nn.Parameter(torch.zeros(1))
        self.query_tokens = nn.Parameter(torch.zeros(1, 4, 8))


NAMES = ("linear", "norm", "embedding")


def drawn(names=NAMES, seed=3, dtype=torch.float32):
    network = Net(names).to(dtype)
    initialise(network, seed)
    return network.state_dict()


def test_the_rule():
    state = drawn()
    assert (state["norm.weight"] == 1).all()
    assert (state["norm.bias"] == 0).all()
    assert (state["linear.bias"] == 0).all()
    assert (state["alpha_cross_attn"] == 1).all()
    assert state["linear.weight"].std() == pytest.approx(STANDARD_DEVIATION, rel=0.05)
    assert state["query_tokens"].std() == pytest.approx(STANDARD_DEVIATION, rel=0.4)
    assert len(state["query_tokens"].unique()) == state["query_tokens"].numel()


def test_the_order_of_parameters_does_not_matter():
    forth, back = drawn(), drawn(NAMES[::-1])
    assert all(torch.equal(forth[name], back[name]) for name in forth)


def test_the_seed_matters_and_repeats():
    assert torch.equal(drawn()["linear.weight"], drawn()["linear.weight"])
    assert not torch.equal(drawn()["linear.weight"], drawn(seed=4)["linear.weight"])


def test_parameters_of_one_shape_differ():
    network = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)})
    initialise(network, 0)
    assert not torch.equal(network["a"].weight, network["b"].weight)


def test_half_precision_holds_the_same_numbers():
    exact, half = drawn(), drawn(dtype=torch.bfloat16)
    for name, values in half.items():
        assert torch.equal(values, exact[name].bfloat16())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_norm_of_a_family_has_weight_one(load, family):
    network = load(family, random_seed=1).network
    weights = {
        name: parameter for name, parameter in network.named_parameters() if name.endswith("weight")
    }
    # Whatever a norm is called: no other weight has but one axis.
    of_norms = {name for name, weight in weights.items() if weight.ndim == 1}
    assert len(of_norms) > 4
    assert {name for name, weight in weights.items() if (weight == 1).all()} == of_norms


@pytest.mark.parametrize("family", ["instructblip", "idefics", "llava"])
def test_checkpoint_weights_do_not_leak_in(load, pictures, family):
    shown, texts = pictures(2), ["What is in this image?"] * 2
    first = load(family, random_seed=1).embed(shown, texts).states
    again = load(family, random_seed=1).embed(shown, texts).states
    other = load(family, random_seed=2).embed(shown, texts).states
    read = load(family).embed(shown, texts).states
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert not torch.allclose(first, read)
