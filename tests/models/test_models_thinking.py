"""A model that thinks first: what it thinks is told from what it answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from model_types import KINDS, build

from brainstruct.embedding.block import block_identity
from brainstruct.embedding.storage import label
from brainstruct.errors import InputError
from brainstruct.models.auto import Auto
from brainstruct.models.decoding import Decoding
from brainstruct.models.interface import STIMULUS, ModelOptions, Sampling

QUESTION = "What is in this image?"
N = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A Qwen3-VL whose tokenizer has the two marks as tokens of their own."""
    folder = tmp_path_factory.mktemp("thinking")
    usual = KINDS["qwen3_vl"]
    marked = usual | {"specials": [*usual["specials"], "<think>", "</think>"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, "qwen3_vl", marked)
        build("qwen3_vl", folder)
    return folder


@pytest.fixture(scope="module")
def load(folder):
    def get(**options):
        usual = {"max_new_tokens": 4, "thinking_tokens": 9, "dtype": "float32", "device": "cpu"}
        return Auto.load(ModelOptions(folder, 5, **(usual | options)))

    return get


def read(response, inside, decoding):
    """Read a response token by token: steps that are averaged, those of thinking, whether cut."""
    begins, ends = set(decoding.marks), set(decoding.marks.values())
    left = {True: decoding.options.thinking_tokens, False: decoding.options.max_new_tokens}
    averaged, thought = [], []
    for step, token in enumerate(response):
        if token in decoding.end_ids:
            return averaged, thought, False
        thinks = inside or token in begins or token in ends
        left[thinks] -= 1
        if left[thinks] < 0:
            return averaged, thought, True
        if thinks:
            thought.append(step)
        if not thinks or decoding.options.thinking_pooled:
            averaged.append(step)
        inside = (inside or token in begins) and token not in ends
    raise AssertionError("the response has no end")


def straightforward(model, batch, inside):
    """Generate, keep every state, and average what is to be averaged afterwards."""
    inputs = dict(batch)
    settings = model.decoding.settings(inputs.pop(STIMULUS, None), inputs["input_ids"])
    del settings["stopping_criteria"]  # rows go on for as long as any could
    settings["generation_config"].output_hidden_states = True
    settings["generation_config"].return_dict_in_generate = True
    with torch.inference_mode():
        told = model.generate(inputs, **settings)
    tokens = told.sequences[:, -len(told.hidden_states) :]
    steps = [torch.stack([one[:, -1] for one in states], 1) for states in told.hidden_states]
    said = [read(row, inside, model.decoding) for row in tokens.tolist()]
    states = torch.stack(
        [
            torch.stack([steps[step + 1][row] for step in own]).mean(0) if own else steps[0][row]
            for row, (own, _, _) in enumerate(said)
        ]
    )
    return tokens, states, said


@pytest.mark.parametrize("sampling", [None, Sampling(3, temperature=2.0)])
@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("pooled", [False, True])
def test_states_are_those_of_the_answer(load, pictures, sampling, opened, pooled):
    mark = "<think>" if opened else ""
    prompt = f"<|vision_start|>{{image}}<|vision_end|>{{instruction}}{mark}"
    model = load(prompt=prompt, thinking_pooled=pooled, sampling=sampling)
    batch = model.prepare(pictures(N), [QUESTION] * N)
    batch[STIMULUS] = torch.arange(N)
    inputs = {name: one for name, one in batch.items() if name != STIMULUS}
    # Marks are tokens that this model utters, wherever; so rows think from and to other steps.
    settings = replace(model.decoding, end_ids={10**6}).settings(
        batch[STIMULUS], batch["input_ids"]
    )
    del settings["stopping_criteria"]
    with torch.inference_mode():
        tokens = model.generate(inputs, **settings)[:, batch["input_ids"].shape[1] :]
    (begin,) = model.decoding.marks
    ends = (int(tokens[0, 2]), int(tokens[1, 5]), int(tokens[2, 8]))
    marks = {begin: ends[0], int(tokens[3, 1]): ends[1], int(tokens[4, 3]): ends[2]}
    model.decoding = replace(model.decoding, marks=marks)

    known = {*marks.keys(), *marks.values()}
    prompt = reversed(batch["input_ids"][0].tolist())
    inside = next((one in marks for one in prompt if one in known), False)
    _, states, said = straightforward(model, batch, inside)
    found = model.forward(batch)
    torch.testing.assert_close(found.states[:, 1:], states[:, 1:], rtol=1e-5, atol=1e-5)
    assert found.n_tokens.tolist() == [len(own) for own, _, _ in said]
    assert found.truncated.tolist() == [cut for _, _, cut in said]
    lengths = [len(thought) for _, thought, _ in said]
    assert len(set(lengths)) > 1
    whole = [len({*own, *thought}) for own, thought, _ in said]
    share = [n / max(all_of, 1) for n, all_of in zip(lengths, whole, strict=True)]
    torch.testing.assert_close(found.thinking_share, torch.tensor(share))
    alone = [model.forward({name: one[row : row + 1] for name, one in batch.items()})
             for row in range(N)]  # fmt: skip
    torch.testing.assert_close(torch.cat([one.states for one in alone]), found.states)
    assert [one.responses[0] for one in alone] == found.responses
    block = label(found, range(N), range(5), "float32")
    assert block["thinking_share"].dims == ("stimulus",)


@pytest.mark.parametrize(
    ("tokens", "opened", "pooled", "thought", "cut"),
    [
        ([7, 5, 8, 5, 5, 2, 0], False, [3, 4], [0, 1, 2], False),
        ([5, 8, 5, 2, 0, 0, 0], True, [2], [0, 1], False),
        ([7, 5, 2, 0, 0, 0, 0], False, [], [0, 1], False),  # ends while it thinks
        ([7, 5, 5, 5, 0, 0, 0], False, [], [0, 1, 2], True),  # thinks too long
        ([5, 5, 5, 0, 0, 0, 0], False, [0, 1], [], True),  # answers too long
        ([7, 8, 5, 5, 2, 0, 0], False, [2, 3], [0, 1], False),
    ],
)
def test_parts_of_a_response(tokens, opened, pooled, thought, cut):
    options = ModelOptions(Path(), None, max_new_tokens=2, thinking_tokens=3)
    decoding = Decoding(options, {2}, 0, marks={7: 8})
    prompts = torch.tensor([[7, 8, 7] if opened else [7, 8, 1]])
    parts = decoding.parts(torch.tensor([tokens]), prompts)
    assert parts.pooled[0].nonzero()[:, 0].tolist() == pooled
    assert parts.thought[0].nonzero()[:, 0].tolist() == thought
    assert parts.truncated.tolist() == [cut]


def test_it_is_let_think_only_where_that_is_set(load):
    prompt = "<|vision_start|>{image}<|vision_end|>{instruction}<think>"
    with pytest.raises(InputError, match="begin to think") as refused:
        load(prompt=prompt, thinking_tokens=0)
    assert "models[].thinking_tokens" in refused.value.cure
    model = load(thinking_tokens=0)
    begin = model.tokenizer.convert_tokens_to_ids("<think>")
    assert begin in model.decoding.forbidden_ids
    assert "thinking_tokens" not in block_identity(model, [0], QUESTION, range(5), "float32", {})
    may = load()
    assert begin not in may.decoding.forbidden_ids
    assert block_identity(may, [0], QUESTION, range(5), "float32", {})["thinking_tokens"] == 9


def test_marks_must_be_tokens_of_their_own(tmp_path):
    build("qwen3_vl", tmp_path)
    with pytest.raises(InputError, match="no tokens of their own that begin and end"):
        Auto.load(ModelOptions(tmp_path, 5, thinking_tokens=3, device="cpu"))
