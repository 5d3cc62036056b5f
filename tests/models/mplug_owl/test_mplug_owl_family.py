"""mPLUG-Owl as a feature model: responses, pooled states, batches, other sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from PIL import Image

from brainstruct.errors import InputError
from brainstruct.models.interface import ModelOptions
from brainstruct.models.mplug_owl.family import MPlugOwl
from brainstruct.models.mplug_owl.tiny import build

QUESTION = "How many animals are there?"
SIZES = {"n_blocks": 5, "width": 48, "n_queries": 9, "image_size": 42}


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    # Of this seed, responses are empty, short and cut.
    build(folder, 7, **SIZES, eos_ids=range(2, 90))
    return folder


@pytest.fixture(scope="module")
def tiny_options(tiny_folder):
    return ModelOptions(tiny_folder, n_layers=6, max_new_tokens=9, device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def tiny_model(tiny_options):
    return MPlugOwl.load(tiny_options)


def teacher_forced(model, images, text):
    """The mean state of each response, from one pass over prompt and response, without a batch."""
    network, means = model.network, []
    for image in images:
        batch = model.prepare([image], [text])
        with torch.no_grad():
            tokens = network.generate(**batch, generation_config=model.decoding.greedy_config())[0]
            ends = [n for n, token in enumerate(tokens.tolist()) if token in model.decoding.end_ids]
            n_tokens = min([model.options.max_new_tokens, *ends])
            prompt = network.embed_prompt(
                batch["input_ids"], network.encode_images(batch["pixel_values"])
            )
            response = network.get_input_embeddings()(tokens[None, :n_tokens])
            layers = network.language_model(
                inputs_embeds=torch.cat([prompt, response], dim=1), output_hidden_states=True
            ).hidden_states
        first = prompt.shape[1] if n_tokens else prompt.shape[1] - 1
        means.append(torch.stack([states[0, first:].mean(0) for states in layers]))
    return torch.stack(means)


def test_response_means_are_those_of_the_reference(
    reference_folder, reference, reference_images, instructions
):
    model = MPlugOwl.load(
        ModelOptions(reference_folder, n_layers=4, max_new_tokens=11, device="cpu")
    )
    found = model.embed(reference_images[:1], instructions[1:])
    assert (found.states - reference["gen.response_mean"]).abs().max() < 1e-5
    assert found.responses == [model.decode(reference["gen.new_tokens"][0, :11].tolist())]
    assert found.n_tokens.tolist() == [11]
    assert found.truncated.tolist() == [True]


def test_response_means_agree_with_one_pass_over_the_response(tiny_model, eight_images):
    found = tiny_model.embed(eight_images, [QUESTION] * 8)
    assert found.states.shape == (8, 6, 48)
    assert found.states.dtype == torch.float32
    # Empty, short and cut responses: an empty one has the state of the last prompt position.
    lengths = set(found.n_tokens.tolist())
    assert {0, tiny_model.options.max_new_tokens} < lengths
    assert found.truncated.any()
    assert not found.truncated.all()
    assert all(found.responses[row] == "" for row in (found.n_tokens == 0).nonzero())
    expected = teacher_forced(tiny_model, eight_images, QUESTION)
    assert (found.states - expected).abs().max() < 1e-5


def test_a_batch_of_eight_is_eight_batches_of_one(tiny_model, eight_images):
    together = tiny_model.embed(eight_images, [QUESTION] * 8)
    for number, image in enumerate(eight_images):
        alone = tiny_model.embed([image], [QUESTION])
        assert (together.states[number] - alone.states[0]).abs().max() < 1e-5
        assert together.responses[number] == alone.responses[0]
        assert together.n_tokens[number] == alone.n_tokens[0]
        assert together.truncated[number] == alone.truncated[0]


def test_image_and_instruction_both_matter(tiny_model, eight_images):
    states = tiny_model.embed(eight_images[:2], [QUESTION] * 2).states
    other = tiny_model.embed(eight_images[:2], ["Name the colours."] * 2).states
    size = states[:, -1].norm(dim=1)
    assert (states[0, -1] - states[1, -1]).norm() > 0.02 * size[0]
    assert ((states - other)[:, -1].norm(dim=1) > 0.02 * size).all()


def test_prompt_pooling(tiny_options, tiny_model, eight_images):
    model = MPlugOwl.load(replace(tiny_options, pooling="prompt_mean"))
    batch = model.prepare(eight_images[:2], [QUESTION] * 2)
    found = model.forward(batch)
    with torch.no_grad():
        layers = tiny_model.network(**batch, output_hidden_states=True).hidden_states
    expected = torch.stack([states.mean(1) for states in layers], dim=1)
    assert (found.states - expected).abs().max() < 1e-5
    assert found.n_tokens.tolist() == [batch["input_ids"].shape[1]] * 2


def test_several_instructions_in_one_batch_are_refused(tiny_model, eight_images):
    with pytest.raises(ValueError, match="one instruction"):
        tiny_model.prepare(eight_images[:2], [QUESTION, "Name the colours."])


def test_random_baseline_is_seeded_and_not_the_checkpoint(tiny_options, tiny_model, eight_images):
    def states(seed):
        model = MPlugOwl.load(replace(tiny_options, random_seed=seed))
        return model.embed(eight_images[:1], [QUESTION]).states

    first = states(7)
    assert torch.equal(first, states(7))
    assert not torch.allclose(first, states(8))
    assert not torch.allclose(first, tiny_model.embed(eight_images[:1], [QUESTION]).states)


def test_random_baseline_needs_no_weights(tmp_path, eight_images):
    build(tmp_path, 0, n_blocks=2, width=32)
    (tmp_path / "model.safetensors").unlink()
    model = MPlugOwl.load(ModelOptions(tmp_path, n_layers=3, random_seed=1, max_new_tokens=2))
    assert model.embed(eight_images[:1], [QUESTION]).states.shape == (1, 3, 32)


def test_thirty_three_layers(tmp_path, eight_images):
    build(tmp_path, 1)
    model = MPlugOwl.load(ModelOptions(tmp_path, n_layers=33, max_new_tokens=4))
    found = model.embed(eight_images[:2], [QUESTION] * 2)
    assert found.states.shape == (2, model.n_layers, model.feature_dim) == (2, 33, 64)
    assert torch.isfinite(found.states).all()


def test_half_precision_stays_near(tiny_options, tiny_model, eight_images):
    options = replace(tiny_options, dtype="bfloat16", pooling="last_prompt_token")
    found = MPlugOwl.load(options).embed(eight_images[:2], [QUESTION] * 2).states
    exact = MPlugOwl.load(replace(options, dtype="float32"))
    expected = exact.embed(eight_images[:2], [QUESTION] * 2).states
    assert ((found - expected).norm(dim=-1) < 0.1 * expected.norm(dim=-1)).all()


def test_another_number_of_layers_is_refused(tiny_options):
    with pytest.raises(InputError, match="6 hidden states"):
        MPlugOwl.load(replace(tiny_options, n_layers=33))


def test_a_tokenizer_of_another_model_is_refused(tiny_options):
    model = MPlugOwl.load(tiny_options)
    model.body.embed_tokens = torch.nn.Embedding(300, 48)
    with pytest.raises(InputError, match=r"a text the token \d+, but the model embeds 300"):
        model.prepare([Image.new("RGB", (40, 40))], [QUESTION])
