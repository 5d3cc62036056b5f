"""The network against what the published reference code computes with the same weights."""

from __future__ import annotations

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError

from brainstruct.models.mplug_owl.configuration import MPlugOwlConfig
from brainstruct.models.mplug_owl.vision import LayerNorm32

CLOSE = 1.5e-5


def difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    assert found.shape == expected.shape
    return float((found - expected).abs().max())


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.no_grad():
        yield


def test_vision_tower(network, reference):
    found = network.vision_model(reference["same.pixel_values"])
    assert difference(found, reference["same.vision_last_hidden_state"]) < 5e-6


def test_abstractor(network, reference):
    found = network.encode_images(reference["same.pixel_values"])
    assert found.shape[1] == network.config.image_length == 65
    assert difference(found, reference["same.abstractor_last_hidden_state"]) < 5e-6


def test_hidden_states_and_logits(network, reference):
    output = network(
        reference["same.input_ids"], reference["same.pixel_values"], output_hidden_states=True
    )
    for layer, states in enumerate(output.hidden_states):
        assert difference(states, reference[f"same.hidden.{layer}"]) < CLOSE
    assert layer == 3
    assert difference(output.logits, reference["same.logits"]) < CLOSE


def test_padded_prompts_of_two_lengths(network, reference):
    mask = reference["padded.attention_mask"].long()
    output = network(
        reference["padded.input_ids"],
        reference["same.pixel_values"],
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1).masked_fill(mask == 0, 1),
        output_hidden_states=True,
    )
    real = mask.bool()
    assert not real.all()
    found, expected = output.hidden_states[-1][real], reference["padded.hidden.3"][real]
    assert difference(found, expected) < CLOSE


def test_greedy_tokens(network, reference):
    found = network.generate(
        reference["padded.input_ids"][1:],
        reference["same.pixel_values"][:1],
        max_new_tokens=12,
        do_sample=False,
    )
    assert torch.equal(found, reference["gen.new_tokens"])


def test_as_many_positions_as_vectors_are_wanted(network, reference):
    ids = reference["same.input_ids"].clone()
    ids[0, (ids[0] < 0).nonzero()[0]] = 5
    with pytest.raises(ValueError, match=r"129 positions for images, .* 130 vectors"):
        network(ids, reference["same.pixel_values"])


def test_layer_norms_are_computed_in_float32():
    norm = LayerNorm32(8).bfloat16()
    states = torch.randn(4, 8, generator=torch.Generator().manual_seed(0)).bfloat16() + 100
    expected = torch.nn.functional.layer_norm(states.double(), (8,)).bfloat16()
    assert norm(states).dtype == torch.bfloat16
    assert torch.equal(norm(states), expected)


def test_default_dimensions_are_those_of_the_published_checkpoint():
    config = MPlugOwlConfig()
    assert config.image_length == 65
    assert (config.vision_config.hidden_size, config.vision_config.num_hidden_layers) == (1024, 24)
    assert config.visual_abstractor_config.num_hidden_layers == 6
    assert (config.text_config.hidden_size, config.text_config.num_hidden_layers) == (4096, 32)


@pytest.mark.parametrize(
    ("part", "dimensions", "fault"),
    [
        ("vision_config", {"hidden_size": 30}, "vision width 30 is no multiple of its 16 heads"),
        ("visual_abstractor_config", {"encoder_hidden_size": 512}, "width 512"),
        ("vision_config", {"hidden_size": 512}, "512 wide, but the abstractor expects 1024"),
    ],
)
def test_dimensions_that_do_not_fit_are_refused(part, dimensions, fault):
    with pytest.raises(StrictDataclassError, match=fault):
        MPlugOwlConfig(**{part: dimensions})
