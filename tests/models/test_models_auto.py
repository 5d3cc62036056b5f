"""Any type of model: found by its checkpoint, heard as the library has it."""

from __future__ import annotations

import json
import os
import shutil
from types import SimpleNamespace

import pytest
import torch
from model_types import KINDS, build

from brainstruct.embedding.block import block_identity, embed_block
from brainstruct.embedding.stimuli import Stimuli
from brainstruct.errors import InputError
from brainstruct.models.auto import Auto
from brainstruct.models.interface import ModelOptions
from brainstruct.models.loading import require_sound
from brainstruct.models.straightforward import straightforward_states

QUESTION, OTHER = "What is in this image?", "List any food items visible."
FULL = os.environ.get("BRAINSTRUCT_TYPES_FULL") == "1"
OFTEN = (
    "qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_5_moe", "llava_next", "llava_onevision",
    "internvl", "idefics2", "idefics3", "smolvlm", "gemma3", "paligemma", "mllama", "mistral3",
    "molmo2", "lfm2_vl",
)  # fmt: skip
"""Types that every run looks at: DeepStack, experts, hybrid caches, tiles and crops among them."""


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


def relative(found, other):
    """Largest difference of states [stimulus, layer, feature], by the states' length."""
    return float(((found - other).norm(dim=-1) / other.norm(dim=-1)).max())


@pytest.mark.parametrize("kind", KINDS if FULL else OFTEN)
def test_a_type_goes_through(folder, pictures, tmp_path, kind):
    model, shown = load(folder(kind), max_new_tokens=8), pictures(5)
    found = model.embed(shown, [QUESTION] * 5)
    # Every layer, as the library itself says it, kept whole and averaged afterwards.
    told = straightforward_states(model, shown, QUESTION, range(5))
    torch.testing.assert_close(found.states, told, rtol=1e-5, atol=1e-5)
    alone = torch.cat([model.embed([one], [QUESTION]).states for one in shown])
    assert relative(found.states, alone) < 1e-5
    first, second = found.states[:2]
    assert ((first - second).norm(dim=-1) / first.norm(dim=-1))[1:].min() > 0.05
    other = model.embed(shown, [OTHER] * 5).states
    assert ((found.states - other).norm(dim=-1) / other.norm(dim=-1))[:, 1:].mean() > 0.05
    assert len(set(found.n_tokens.tolist())) > 1
    # Several instructions of one job, what they have in common run once or not.
    both = model.forward_all([model.prepare(shown, [asked] * 5) for asked in (QUESTION, OTHER)])
    assert relative(both[0].states, found.states) < 1e-5
    assert relative(both[1].states, other) < 1e-5
    require_resumed(model, shown, found.states, tmp_path)


def require_resumed(model, shown, states, folder):
    """A job that dies in its last shard goes on after the others, and ends as it would have."""
    calls, whole = [], model.forward

    def forward(batch):
        if len(calls) == 2:
            calls.append("died")
            raise KeyboardInterrupt
        calls.append(len(batch["input_ids"]))
        return whole(batch)

    model.forward = forward
    stimuli = Stimuli(images=lambda ids: [shown[one] for one in ids])
    job = {"instructions": {"IC": QUESTION}, "work_folder": folder / "work", "identity": {}}
    sizes = {"batch_size": 2, "images_per_shard": 2, "storage": "float32"}
    with pytest.raises(KeyboardInterrupt):
        next(embed_block(model, stimuli, range(5), **job, **sizes))
    (block,) = embed_block(model, stimuli, range(5), **job, **sizes)
    assert calls == [2, 2, "died", 1]
    stored = torch.from_numpy(block["embedding"].values).transpose(0, 1)
    assert relative(stored, states) < 1e-5


def test_the_code_that_resizes_is_known_and_part_of_a_job(folder):
    found = {kind: load(folder(kind)) for kind in ("qwen2_vl", "molmo2")}
    said = {
        kind: block_identity(model, [0], QUESTION, range(5), "float32", {})["image_backend"]
        for kind, model in found.items()
    }
    assert said == {"qwen2_vl": "pil", "molmo2": "torchvision"}


def test_images_of_one_size_that_are_not_alike_are_refused(folder, pictures):
    model = load(folder("idefics3"))
    prepare = model._images.image_processor.preprocess
    # Cut by what is in them: a processor that the library does not have yet.
    model._images.image_processor.preprocess = lambda images, **kw: prepare(
        [[one[0].resize((20, 80))] if number else one for number, one in enumerate(images)], **kw
    )
    with pytest.raises(InputError, match="makes images of one size alike"):
        model.prepare(pictures(2), [QUESTION] * 2)


def test_a_model_that_is_heard_elsewhere_is_refused(folder):
    model = load(folder("qwen2_vl"))
    model.body.layers[1], model.body.layers[2] = model.body.layers[2], model.body.layers[1]
    require_sound(model)  # the network is another now, and is heard as it is
    heard = SimpleNamespace(
        embed_tokens=model.body.embed_tokens,
        layers=[model.body.layers[one] for one in (1, 0, 2, 3)],
        norm=model.body.norm,
        parameters=model.body.parameters,
        register_forward_pre_hook=model.body.register_forward_pre_hook,
        register_forward_hook=model.body.register_forward_hook,
    )
    model.body = heard
    with pytest.raises(InputError, match="its 4 blocks give other states than the library's 4"):
        require_sound(model)


def test_an_answer_that_the_network_did_not_choose_is_refused(folder):
    model = load(folder("qwen2_vl"))
    generate = model.generate

    def generate_with_an_echo(batch, **settings):
        told = generate(batch, **settings)
        if settings["generation_config"].output_scores:
            told.sequences = told.sequences.roll(1, dims=1)
        return told

    model.generate = generate_with_an_echo
    with pytest.raises(InputError, match=r"its answer begins .*, the network chose"):
        require_sound(model)


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
        ("{% for m in messages %}<|image_pad|>{% endfor %}[THINK] So", "begin to think"),
        ("<think></think>{% for m in messages %}<|image_pad|>{% endfor %}", "no token of its own"),
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


def test_a_prompt_of_the_study_is_asked_the_same(folder):
    prompt = "<|vision_start|>{image}<|vision_end|>{instruction}<|channel>thought"
    with pytest.raises(InputError, match="begin to think"):
        load(folder("qwen2_vl"), prompt=prompt)


def test_thinking_is_never_begun(folder, tmp_path):
    able = shutil.copytree(folder("qwen2_vl"), tmp_path / "model")
    path = able / "tokenizer.json"
    content = json.loads(path.read_text())
    content["added_tokens"][5]["content"] = "<think>"  # <|vision_pad|>, which nothing else uses
    path.write_text(json.dumps(content))
    model = load(able)
    assert model.tokenizer.convert_tokens_to_ids("<think>") in model.decoding.forbidden_ids


def test_an_instruction_holds_no_tokens_of_the_model_s_own(folder):
    with pytest.raises(InputError, match=r"contains <\|image_pad\|>"):
        load(folder("qwen2_vl")).prompt("What is <|image_pad|>?")


@pytest.mark.parametrize(
    ("model_type", "said"),
    [
        ("florence2", "is an encoder-decoder"),
        ("diffusion_gemma", "block diffusion"),
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


@pytest.mark.parametrize(
    ("model_type", "cure"),
    [
        ("internvl_chat", "Name its twin for the library (model_type internvl)"),
        ("llava_next_of_mine", "(model_type llava_next)"),
        ("moondream1", "Name a checkpoint that answers"),
    ],
)
def test_code_of_a_checkpoint_is_not_run_and_its_twin_is_named(folder, tmp_path, model_type, cure):
    spoilt = shutil.copytree(folder("qwen2_vl"), tmp_path / "model")
    path = spoilt / "config.json"
    own = {"model_type": model_type, "auto_map": {"AutoModel": "modeling.Own"}}
    path.write_text(json.dumps(json.loads(path.read_text()) | own))
    with pytest.raises(InputError, match="code of its own, which is never run") as caught:
        load(spoilt)
    assert cure in caught.value.cure
