"""What prompts begin with is run once for all instructions, where that changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from model_types import build
from PIL import Image

from brainstruct.models import tiny
from brainstruct.models.beginning import Beginning, common_length
from brainstruct.models.interface import STIMULUS, ModelOptions, Sampling
from brainstruct.models.opening import family_class

ASKED = ["Describe the image in one word.", "Which color has the largest thing?", "Is it indoor?"]


def pictures(n: int) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (90, 90, 3), dtype=np.uint8)) for _ in range(n)]


def opened(kind, folder, **options):
    if kind in ("llava", "mplug-owl", "instructblip"):
        tiny.build(kind, folder, seed=1, n_blocks=2)
        return family_class(kind).load(ModelOptions(folder, 3, max_new_tokens=5, **options))
    build(kind, folder)
    return family_class("auto").load(ModelOptions(folder, 5, max_new_tokens=5, **options))


def batches_of(model):
    return [model.prepare(pictures(3), [text] * 3) for text in ASKED]


def count_begun(monkeypatch) -> list[int]:
    """Return a list that grows by the positions that are run once."""
    found: list[int] = []
    made = Beginning.__init__

    def counted(self, length, cache):
        found.append(length)
        made(self, length, cache)

    monkeypatch.setattr(Beginning, "__init__", counted)
    return found


# Images among the tokens, of several tiles, by a cache of two kinds, by cross-attention.
@pytest.mark.parametrize(
    "kind", ["llava", "mplug-owl", "llava_next", "qwen2_5_vl", "gemma3", "qwen3_5", "mllama"]
)
def test_states_and_answers_are_those_of_whole_prompts(tmp_path, monkeypatch, kind):
    model = opened(kind, tmp_path)
    batches = batches_of(model)
    expected = [model.forward(batch) for batch in batches]
    begun = count_begun(monkeypatch)
    for _ in range(2):  # the first time it is compared, too
        for found, whole in zip(model.forward_all(batches), expected, strict=True):
            scale = whole.states.abs().max()
            torch.testing.assert_close(
                found.states / scale, whole.states / scale, atol=1e-5, rtol=0
            )
            assert found.responses == whole.responses
            assert found.n_tokens.tolist() == whole.n_tokens.tolist()
    assert len(begun) == 3
    assert min(begun) > 3
    assert not torch.equal(expected[0].states, expected[1].states)


def test_where_the_image_sees_the_instruction_it_is_run_for_each(tmp_path, monkeypatch, caplog):
    model = opened("paligemma", tmp_path)
    batches = batches_of(model)
    begun = count_begun(monkeypatch)
    with caplog.at_level("INFO"):
        for _ in range(2):
            found = model.forward_all(batches)
    assert len(begun) == 1
    assert "run for each" in caplog.text
    assert torch.equal(found[1].states, model.forward(batches[1]).states)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("instructblip", {}),  # its queries read the instruction
        ("llava", {"prompt": "USER: {instruction} {image} ASSISTANT:"}),
        ("llava", {"pooling": "prompt_mean"}),  # of all positions
    ],
)
def test_what_cannot_be_shared_is_not(tmp_path, monkeypatch, kind, options):
    model = opened(kind, tmp_path, **options)
    batches = batches_of(model)
    begun = count_begun(monkeypatch)
    found = model.forward_all(batches)
    assert not begun
    assert torch.equal(found[1].states, model.forward(batches[1]).states)


def test_sampled_answers_are_those_of_whole_prompts(tmp_path):
    model = opened("llava", tmp_path, sampling=Sampling(seed=3))
    batches = [batch | {STIMULUS: torch.tensor([5, 6, 7])} for batch in batches_of(model)]
    found = model.forward_all(batches)
    assert [one.responses for one in found] == [model.forward(one).responses for one in batches]


def test_common_length_needs_the_whole_image_in_it():
    def prompts(*ids):
        return [{"input_ids": torch.tensor([one, one])} for one in ids]

    both = prompts([1, 9, 9, 2, 3], [1, 9, 9, 2, 4, 5])
    assert common_length(both, {9}) == 4
    assert common_length(both, {8}) == 0
    assert common_length(prompts([1, 9, 2, 9], [1, 9, 3, 9]), {9}) == 0
    assert common_length(prompts([1, 9], [1, 9, 3]), {9}) == 0
    assert common_length(prompts([1, 9, 3], [1, 9, 3, 4]), {9}) == 2
