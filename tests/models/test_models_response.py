from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from brainstruct.models.decoding import Decoding
from brainstruct.models.interface import ModelOptions
from brainstruct.models.responding import RespondingModel
from brainstruct.models.straightforward import straightforward_states

INSTRUCTION = "What is in this image?"
RESPONDING = ("instructblip", "idefics", "llava")


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def generated(model, pictures, n_tokens):
    """Tokens [stimulus, step] that the model utters when nothing ends a response."""
    batch = model.on_device(model.prepare(pictures, [INSTRUCTION] * len(pictures)))
    endless = replace(model.decoding, end_ids={10**6})
    sequences = model.generate(batch, generation_config=endless.greedy_config(n_tokens))
    return sequences[:, -n_tokens:]


@pytest.fixture(scope="module", params=RESPONDING)
def uneven(request, load, pictures):
    """A model, eight pictures, and end tokens for responses of many lengths."""
    model = load(request.param, max_new_tokens=7)
    shown = pictures(8)
    tokens = generated(model, shown, 8)
    ends = {int(tokens[0, 0]), int(tokens[1, 2]), int(tokens[2, 4]), int(tokens[3, 5])}
    model.decoding = replace(model.decoding, end_ids=ends)
    parts = model.decoding.parts(tokens, tokens)
    lengths, truncated = parts.whole.sum(1), parts.truncated
    assert 0 in lengths
    assert truncated.any()
    assert len(lengths.unique()) >= 3
    return model, shown, lengths, truncated


def test_pooling_agrees_with_a_plain_extraction(uneven):
    model, shown, lengths, truncated = uneven
    pooled = model.embed(shown, [INSTRUCTION] * 8)
    layers = range(model.n_layers)
    one_by_one = [straightforward_states(model, [own], INSTRUCTION, layers) for own in shown]
    close(pooled.states, torch.cat(one_by_one))
    close(pooled.states, straightforward_states(model, shown, INSTRUCTION, layers))
    assert pooled.n_tokens.tolist() == lengths.tolist()
    assert pooled.truncated.tolist() == truncated.tolist()
    tokens = generated(model, shown, 7).tolist()
    said = [model.decode(row[:n]) for row, n in zip(tokens, lengths.tolist(), strict=True)]
    assert pooled.responses == said


def test_states_do_not_depend_on_the_batch(uneven):
    model, shown, _, _ = uneven
    together = model.embed(shown, [INSTRUCTION] * 8)
    for row, picture in enumerate(shown):
        alone = model.embed([picture], [INSTRUCTION])
        close(together.states[row], alone.states[0])
        assert together.responses[row] == alone.responses[0]


def test_pooling_agrees_with_one_forward_pass_over_the_response(uneven):
    model, shown, lengths, _ = uneven
    pooled = model.embed(shown, [INSTRUCTION] * 8).states
    batch = model.prepare(shown, [INSTRUCTION] * 8)
    tokens = generated(model, shown, 7)
    n_prompt = batch["input_ids"].shape[1]
    batch["input_ids"] = torch.cat([batch["input_ids"], tokens], dim=1)
    batch["attention_mask"] = torch.ones_like(batch["input_ids"])
    if "image_attention_mask" in batch:
        sees = batch["image_attention_mask"]
        batch["image_attention_mask"] = torch.cat([sees, sees[:, -1:].expand(-1, 7, -1)], dim=1)
    output = model.network(**batch, output_hidden_states=True)
    states = (output.get("language_model_outputs") or output).hidden_states
    for row, n in enumerate(lengths.tolist()):
        kept = slice(n_prompt, n_prompt + n) if n else slice(n_prompt - 1, n_prompt)
        # Layer 0 as the library reports it is another one for IDEFICS.
        for layer in range(1, model.n_layers):
            close(pooled[row, layer], states[layer][row, kept].mean(0))


@pytest.mark.parametrize("family", RESPONDING)
@pytest.mark.parametrize("pooling", ["last_prompt_token", "prompt_mean"])
def test_prompt_poolings(load, pictures, family, pooling):
    model = load(family, pooling=pooling)
    shown = pictures(3)
    pooled = model.embed(shown, [INSTRUCTION] * 3)
    batch = model.prepare(shown, [INSTRUCTION] * 3)
    output = model.network(**batch, output_hidden_states=True)
    states = (output.get("language_model_outputs") or output).hidden_states
    for layer in range(1, model.n_layers):
        whole = pooling == "prompt_mean"
        expected = states[layer].mean(1) if whole else states[layer][:, -1]
        close(pooled.states[:, layer], expected)
    assert pooled.responses == [""] * 3
    assert not pooled.truncated.any()
    n_prompt = batch["input_ids"].shape[1]
    assert pooled.n_tokens.tolist() == [n_prompt if pooling == "prompt_mean" else 1] * 3


@pytest.fixture(scope="module")
def llama():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        initializer_range=0.3,
    )
    return LlamaForCausalLM(config).eval()


class Bare(RespondingModel):
    """A language model that gets its prompts as they are, and words its tokens as numbers."""

    @classmethod
    def load(cls, options):
        raise NotImplementedError

    def prompt_ids(self, instruction):
        raise NotImplementedError

    def decode(self, tokens):
        return " ".join(map(str, tokens))


def run(network, ids, mask, pooling="response_mean", forbidden_ids=(), **generation):
    options = ModelOptions(Path(), 4, pooling=pooling, max_new_tokens=5, device="cpu")
    ends = {"end_ids": {2}, "pad_id": 0, "forbidden_ids": forbidden_ids}
    model = Bare(options, network, network.model, None, None, **ends)
    model.generate = lambda batch, **settings: network.generate(**batch, **settings, **generation)
    return model.forward({"input_ids": ids, "attention_mask": mask})


@pytest.mark.parametrize("pooling", ["response_mean", "last_prompt_token", "prompt_mean"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_nothing(llama, pooling, side):
    prompts = [[1, 7, 9, 30, 4], [1, 12], [1, 5, 6]]
    padded = [[0] * (5 - len(p)) + p if side == "left" else p + [0] * (5 - len(p)) for p in prompts]
    ids = torch.tensor(padded)
    mask = (ids != 0).long()
    if side == "right" and pooling == "response_mean":
        with pytest.raises(ValueError, match="padded on the right"):
            run(llama, ids, mask, pooling)
        return
    together = run(llama, ids, mask, pooling)
    for row, prompt in enumerate(prompts):
        own = torch.tensor([prompt])
        alone = run(llama, own, torch.ones_like(own), pooling)
        close(together.states[row], alone.states[0])
        assert together.n_tokens[row] == alone.n_tokens[0]


def test_a_forbidden_token_is_not_uttered(llama):
    ids = torch.tensor([[1, 7, 9]])
    mask = torch.ones_like(ids)
    said = [int(token) for token in run(llama, ids, mask).responses[0].split()]
    found = run(llama, ids, mask, forbidden_ids=(said[0],))
    again = [int(token) for token in found.responses[0].split()]
    assert said[0] not in again


def test_half_precision_sums_in_single(llama):
    import copy

    ids = torch.tensor([[1, 7, 9], [1, 3, 8]])
    mask = torch.ones_like(ids)
    half = copy.deepcopy(llama).bfloat16()
    assert run(half, ids, mask).states.dtype == torch.float32


def test_beam_search_is_refused(llama):
    ids = torch.tensor([[1, 7, 9]])
    with pytest.raises(ValueError, match="only one hypothesis"):
        run(llama, ids, torch.ones_like(ids), num_beams=2)
    assert not any(module._forward_hooks for module in llama.modules())


def test_a_decoder_without_cache_is_refused(llama):
    ids = torch.tensor([[1, 7, 9]])
    with pytest.raises(RuntimeError, match="one token per step"):
        run(llama, ids, torch.ones_like(ids), use_cache=False)


@pytest.mark.parametrize(
    ("tokens", "n_tokens", "truncated"),
    [
        ([2, 0, 0, 0], 0, False),  # empty
        ([5, 2, 0, 0], 1, False),
        ([5, 6, 7, 2], 3, False),  # exactly the longest, complete
        ([5, 6, 7, 8], 3, True),
        ([5, 2, 6, 2], 1, False),  # only the first end counts
    ],
)
def test_response_lengths(tokens, n_tokens, truncated):
    decoding = Decoding(ModelOptions(Path(), None, max_new_tokens=3), {2, 4}, pad_id=0)
    parts = decoding.parts(torch.tensor([tokens]), torch.zeros((1, 0), dtype=torch.int64))
    assert parts.whole.tolist() == [[step < n_tokens for step in range(4)]]
    assert parts.truncated.tolist() == [truncated]


def test_a_response_must_have_an_end():
    with pytest.raises(ValueError, match="end_ids"):
        Decoding(ModelOptions(Path(), None), end_ids=(), pad_id=0)
