"""Any type of model: found by its checkpoint, heard as the library has it."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from model_types import KINDS, build

from brainstruct.errors import InputError
from brainstruct.models.auto import Auto
from brainstruct.models.interface import ModelOptions
from brainstruct.models.straightforward import straightforward_states

QUESTION, OTHER = "What is in this image?", "List any food items visible."
NEEDS = {"mistral3": "torchvision", "smolvlm": "num2words"}
"""Packages that the library's processors of a type ask for."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    built = {}

    def get(kind):
        if kind not in built:
            built[kind] = tmp_path_factory.mktemp("types") / kind
            built[kind].mkdir()
            build(kind, built[kind])
        return built[kind]

    return get


def load(folder, **options):
    settings = {"n_layers": 5, "max_new_tokens": 6, "dtype": "float32", "device": "cpu"}
    return Auto.load(ModelOptions(folder, **(settings | options)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_goes_through(folder, pictures, kind):
    if kind in NEEDS:
        pytest.importorskip(NEEDS[kind])
    model = load(folder(kind))
    shown = pictures(5)
    found = model.embed(shown, [QUESTION] * 5)
    # Every layer, as the library itself says it, kept whole and averaged afterwards.
    told = straightforward_states(model, shown, QUESTION, range(5))
    torch.testing.assert_close(found.states, told, rtol=1e-5, atol=1e-5)
    alone = torch.cat([model.embed([one], [QUESTION]).states for one in shown])
    # Experts are summed in another order where a batch asks for others.
    close = 1e-3 if kind.endswith("moe") else 1e-4
    torch.testing.assert_close(found.states, alone, rtol=close, atol=close)
    first, second = found.states[:2]
    assert ((first - second).norm(dim=-1) / first.norm(dim=-1))[1:].min() > 0.05
    other = model.embed(shown, [OTHER] * 5).states
    assert ((found.states - other).norm(dim=-1) / other.norm(dim=-1))[:, 1:].mean() > 0.05


def test_answers_differ_in_length(folder, pictures):
    lengths = {
        tuple(load(folder(kind)).embed(pictures(5), [QUESTION] * 5).n_tokens.tolist())
        for kind in ("qwen2_vl", "idefics3")
    }
    assert any(len(set(found)) > 1 for found in lengths)


def test_a_study_may_write_the_prompt(folder, pictures):
    own = load(
        folder("qwen2_vl"), prompt="<|vision_start|>{image}<|vision_end|>Q: {instruction} A:"
    )
    assert own.prompt(QUESTION) == f"<|vision_start|><|image_pad|><|vision_end|>Q: {QUESTION} A:"
    usual = load(folder("qwen2_vl"))
    states = [model.embed(pictures(2), [QUESTION] * 2).states for model in (own, usual)]
    assert not torch.allclose(*states)


def test_arguments_of_the_template_are_settings(folder):
    asked = load(folder("qwen2_vl"), chat={"system": "Be brief."})
    assert asked.prompt(QUESTION).startswith("<|im_start|>system\nBe brief.<|im_end|>")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (None, "has no chat template"),
        ("{{ strftime_now('%d %b %Y') }}", "puts today's date into the prompt"),
        ("{% for m in messages %}<|image_pad|>{% endfor %}<think>\n", "begin to think"),
        ("{{ raise_exception('no images') }}", "no chat template that takes an image"),
    ],
)
def test_prompts_that_cannot_be(folder, tmp_path, template, said):
    spoilt = shutil.copytree(folder("qwen2_vl"), tmp_path / "model")
    (spoilt / "chat_template.jinja").unlink()
    if template:
        (spoilt / "chat_template.jinja").write_text(template)
    with pytest.raises(InputError, match=said):
        load(spoilt)


def test_an_instruction_holds_no_tokens_of_the_model_s_own(folder):
    with pytest.raises(InputError, match=r"contains <\|image_pad\|>"):
        load(folder("qwen2_vl")).prompt("What is <|image_pad|>?")


@pytest.mark.parametrize(
    ("model_type", "said"),
    [
        ("florence2", "is an encoder-decoder"),
        ("pi0", "movements of a robot"),
        ("llama", "none that the library asks about images"),
        ("InternVLChat", "none that the library asks about images"),
    ],
)
def test_types_that_are_not_run_are_one_line(folder, tmp_path, model_type, said):
    spoilt = shutil.copytree(folder("qwen2_vl"), tmp_path / "model")
    path = spoilt / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_type": model_type}))
    with pytest.raises(InputError, match=said):
        load(spoilt)
