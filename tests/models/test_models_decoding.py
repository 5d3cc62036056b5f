from __future__ import annotations

import numpy as np
import pytest
import torch

from brainstruct.models.decoding import DrawToken, uniform_numbers
from brainstruct.models.interface import Sampling

INSTRUCTION = "What is in this image?"
SAMPLING = Sampling(seed=5, temperature=0.8, top_k=50, top_p=0.95)
IDS = [7, 3, 72999, 0, 12, 40, 41, 9]


def draw(scores, numbers, **options):
    processor = DrawToken(Sampling(**options), torch.as_tensor(numbers, dtype=torch.float64))
    return processor(torch.zeros(len(scores), 1, dtype=torch.long), scores).argmax(-1)


def test_numbers_depend_on_seed_stimulus_and_prompt_alone():
    whole = uniform_numbers(1, [4, 9], [[1, 2], [1, 2]], 6)
    assert whole.shape == (2, 6)
    assert ((whole >= 0) & (whole < 1)).all()
    assert torch.equal(uniform_numbers(1, [9], [[1, 2]], 3)[0], whole[1, :3])
    for other in (
        uniform_numbers(2, [4], [[1, 2]], 6),
        uniform_numbers(1, [5], [[1, 2]], 6),
        uniform_numbers(1, [4], [[1, 3]], 6),
    ):
        assert not torch.equal(other[0], whole[0])


def test_tokens_come_with_their_probabilities():
    scores = torch.tensor([2.0, -1.0, 0.5, 1.0, -torch.inf])
    numbers = uniform_numbers(0, range(20_000), [[0]] * 20_000, 1)
    found = draw(scores.expand(len(numbers), -1), numbers, temperature=2.0)
    share = torch.bincount(found, minlength=5) / len(found)
    expected = (scores / 2.0).softmax(-1)
    # Five standard deviations of a share.
    assert ((share - expected).abs() <= 5 * (expected * (1 - expected) / len(found)).sqrt()).all()
    assert share[4] == 0


@pytest.mark.parametrize(
    ("options", "possible"),
    [({"top_k": 2}, {0, 3}), ({"top_p": 0.7}, {0, 3}), ({"top_p": 0.5}, {0}), ({"top_k": 1}, {0})],
)
def test_unlikely_tokens_are_left_out(options, possible):
    scores = torch.tensor([2.0, -1.0, 0.5, 1.0, -3.0]).expand(500, -1)
    numbers = np.linspace(0, 1, 500, endpoint=False)[:, None]
    assert set(draw(scores, numbers, **options).tolist()) == possible


@pytest.mark.parametrize("number", [0.0, np.nextafter(1.0, 0.0)])
def test_the_ends_of_the_unit_interval_draw_no_impossible_token(number):
    scores = torch.tensor([[-torch.inf, 0.3, 0.2, -torch.inf]])
    assert draw(scores, [[number]]).item() == (1 if number == 0 else 2)


@pytest.mark.parametrize("family", ["instructblip", "idefics", "mplug-owl", "llava"])
def test_neither_batch_nor_order_changes_a_sampled_response(load, pictures, family):
    model = load(family, sampling=SAMPLING, max_new_tokens=8)
    shown = pictures(8)
    together = model.embed(shown, [INSTRUCTION] * 8, IDS)
    back = model.embed(shown[::-1], [INSTRUCTION] * 8, IDS[::-1])
    for row, (picture, stimulus) in enumerate(zip(shown, IDS, strict=True)):
        alone = model.embed([picture], [INSTRUCTION], [stimulus])
        for found, place in ((alone, 0), (back, 7 - row)):
            assert found.responses[place] == together.responses[row]
            torch.testing.assert_close(
                found.states[place], together.states[row], rtol=1e-5, atol=1e-5
            )
    greedy = load(family, max_new_tokens=8).embed(shown, [INSTRUCTION] * 8)
    assert greedy.responses != together.responses


def test_seed_and_stimulus_matter(load, pictures):
    one = pictures(1) * 6
    model = load("llava", sampling=SAMPLING)
    found = model.embed(one, [INSTRUCTION] * 6, range(6))
    assert len(set(found.responses)) > 3
    assert found.responses == model.embed(one, [INSTRUCTION] * 6, range(6)).responses
    other = load("llava", sampling=Sampling(seed=6)).embed(one, [INSTRUCTION] * 6, range(6))
    assert other.responses != found.responses


def test_one_likely_token_is_greedy_decoding(load, pictures):
    shown = pictures(4)
    sampled = load("instructblip", sampling=Sampling(top_k=1))
    found = sampled.embed(shown, [INSTRUCTION] * 4, range(4))
    expected = load("instructblip").embed(shown, [INSTRUCTION] * 4)
    assert found.responses == expected.responses
    assert torch.equal(found.states, expected.states)


def test_unknown_stimuli_are_refused(load, pictures):
    with pytest.raises(ValueError, match="does not say of which stimuli"):
        load("llava", sampling=SAMPLING).embed(pictures(1), [INSTRUCTION])


def test_prompt_poolings_draw_nothing(load, pictures):
    model = load("llava", sampling=SAMPLING, pooling="last_prompt_token")
    assert model.embed(pictures(1), [INSTRUCTION]).responses == [""]


@pytest.mark.parametrize("family", ["instructblip", "idefics", "llava"])
def test_an_answer_is_text_without_special_tokens(load, family):
    model = load(family)
    words = model.tokenizer("What is this", add_special_tokens=False)["input_ids"]
    ends = model.tokenizer.bos_token_id, model.tokenizer.eos_token_id
    assert model.decode([ends[0], *words, ends[1]]) == "What is this"
