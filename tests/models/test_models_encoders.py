"""Encoders of any type: found by their checkpoint, heard as the library has them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from encoder_types import READING, SEEING, build
from safetensors.torch import load_file, save_file
from transformers import MODEL_FOR_TEXT_ENCODING_MAPPING

from brainstruct.embedding.block import embed_block
from brainstruct.embedding.stimuli import Stimuli
from brainstruct.errors import InputError
from brainstruct.models.interface import ModelOptions
from brainstruct.models.opening import family_class

TEXTS = [
    "a cat",
    "two brown horses stand in the grass next to a wooden fence",
    "the sea",
    "A red dog sleeps on the sofa.",
    "people eat bread",
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    found = {}

    def get(kind, sizes):
        if (kind, str(sizes)) not in found:
            folder = tmp_path_factory.mktemp("types") / kind
            folder.mkdir()
            found[kind, str(sizes)] = folder, build(kind, folder, sizes)
        return found[kind, str(sizes)]

    return get


def load(folder, family, **options):
    settings = {"n_layers": 4, "dtype": "float32", "device": "cpu"}
    return family_class(family).load(ModelOptions(folder, **(settings | options)))


def stored(model, stimuli, folder):
    """The states of five stimuli as a job keeps them, [stimulus, layer, feature]."""
    arguments = {"work_folder": folder, "identity": {}, "batch_size": 3, "storage": "float32"}
    (block,) = embed_block(model, stimuli, np.arange(5), instructions={"none": None}, **arguments)
    return torch.from_numpy(block["embedding"].transpose("stimulus", "layer", "feature").values)


def require_close(found, expected):
    """Compare states by their length, which has no limit in networks whose weights are drawn."""
    assert found.shape == expected.shape
    assert ((found - expected).norm(dim=-1) / expected.norm(dim=-1)).max() < 1e-5


def part_of(network, model):
    """The part of the checkpoint's network that a model runs, the library's own."""
    kind = type(model.network)
    return next(module for module in network.modules() if isinstance(module, kind))


@pytest.mark.parametrize("kind", SEEING)
def test_a_type_that_sees_goes_through(built, pictures, tmp_path, kind):
    folder, network = built(kind, SEEING[kind])
    model = load(folder, "image")
    shown = pictures(5)
    found = stored(model, Stimuli(images=lambda ids: [shown[one] for one in ids]), tmp_path)
    assert found.shape == (5, 4, 32)
    require_close(found, torch.cat([model.embed([one], []).states for one in shown]))
    if kind != "vit_mae":  # the library's own hides patches
        inputs = model.prepare(shown, [])
        with torch.no_grad():
            told = part_of(network, model)(**inputs, output_hidden_states=True).hidden_states
        # SigLIP 2 fills up its rows of patches, where an image has fewer.
        kept = inputs.get("pixel_attention_mask", torch.ones(told[0].shape[:2])).bool()
        means = [[row[own].mean(0) for row, own in zip(one, kept, strict=True)] for one in told]
        require_close(found, torch.stack([torch.stack(one) for one in means], dim=1))
    assert ((found[0] - found[1]).norm(dim=-1) / found[0].norm(dim=-1)).min() > 1e-3


@pytest.mark.parametrize("kind", READING)
def test_a_type_that_reads_goes_through(built, tmp_path, kind):
    folder, network = built(kind, READING[kind])
    model = load(folder, "text")
    found = stored(model, Stimuli(captions=lambda ids: [[TEXTS[one]] for one in ids]), tmp_path)
    assert found.shape == (5, 4, 32)
    own = network
    if type(network.config) not in MODEL_FOR_TEXT_ENCODING_MAPPING:
        own = part_of(network, model)
    for text, states in zip(TEXTS, found, strict=True):
        ids = torch.tensor([model.reader(text)["input_ids"]])
        own = getattr(own, "encoder", own) if kind == "t5" else own
        with torch.no_grad():
            told = own(input_ids=ids, output_hidden_states=True).hidden_states
        require_close(states, torch.stack([one[0].mean(0) for one in told]))
    assert ((found[0] - found[1]).norm(dim=-1) / found[0].norm(dim=-1)).min() > 1e-3
    counted = model.embed([], TEXTS).n_tokens.tolist()
    assert counted == [len(model.reader(text)["input_ids"]) for text in TEXTS]


@pytest.mark.parametrize(
    ("family", "kind"),
    [
        ("image", "vit"),
        ("image", "beit"),
        ("image", "dinov2"),
        ("image", "llava"),
        ("text", "bert"),
        ("text", "roberta"),
        ("text", "gpt2"),
        ("text", "qwen2"),
    ],
)
def test_what_a_checkpoint_has_besides_is_left_out(built, pictures, tmp_path, family, kind):
    sizes = (SEEING if family == "image" else READING)[kind]
    shown = pictures(2) if family == "image" else [], TEXTS[:2]
    network = build(kind, tmp_path, sizes, head=True)
    model = load(tmp_path, family)
    told = part_of(network, model)
    assert type(told) is not type(network)
    found = model.embed(*shown).states
    model.network = told
    require_close(found, model.embed(*shown).states)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("bert", {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}),
        ("gpt2", {}),
    ],
)
def test_published_names_of_2018_are_known(built, tmp_path, kind, names):
    folder, _ = built(kind, READING[kind])
    expected = load(folder, "text").embed([], TEXTS).states
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    tensors = load_file(tmp_path / "model.safetensors")
    for old, new in names.items():
        tensors = {name.replace(old, new): values for name, values in tensors.items()}
    # Buffers that the library no longer has.
    followed = {"bert": "embeddings.position_ids", "gpt2": "h.0.attn.bias"}[kind]
    save_file(tensors | {followed: torch.zeros(1, 3)}, tmp_path / "model.safetensors")
    assert torch.equal(load(tmp_path, "text").embed([], TEXTS).states, expected)


@pytest.mark.parametrize(
    ("family", "kind", "sizes"),
    [("image", "dinov2", SEEING["dinov2"]), ("text", "qwen2", READING["qwen2"])],
)
def test_random_twins_see_and_read(built, pictures, family, kind, sizes):
    folder, _ = built(kind, sizes)
    shown = pictures(2) if family == "image" else [], TEXTS[:2]
    one, again, other, trained = (
        load(folder, family, random_seed=seed).embed(*shown).states for seed in (1, 1, 2, None)
    )
    assert torch.equal(one, again)
    assert ((one[0] - one[1]).norm(dim=-1) / one[0].norm(dim=-1)).min() > 1e-3
    for twin in (other, trained):
        assert ((one - twin).norm(dim=-1) / one.norm(dim=-1)).min() > 0.05


def test_a_long_text_is_cut(built):
    for kind, longest in (("roberta", 512), ("clip", 48)):
        model = load(built(kind, READING[kind])[0], "text")
        assert model.embed([], ["the cat and the dog " * 400]).n_tokens.tolist() == [longest]


STAGES = {"depths": [1, 1], "hidden_sizes": [8, 16], "num_stages": 2, "embedding_size": 8}
NARROWING = {"depths": [1, 1], "num_heads": [2, 4], "embed_dim": 16, "window_size": 2}
SQUARES = {"image_size": 28, "patch_size": 7}


@pytest.mark.parametrize(
    ("family", "kind", "sizes", "n_layers", "said"),
    [
        ("image", "resnet", STAGES, 4, "no hidden states of one width.* convolutional"),
        ("image", "convnextv2", STAGES, 4, "no hidden states of one width.* convolutional"),
        ("image", "swin", NARROWING | SQUARES, 3, "no hidden states of one width"),
        ("image", "bert", READING["bert"], 4, "no checkpoint that works as image.*BertModel"),
        ("image", "dinov2", SEEING["dinov2"], 9, "has 4 hidden states.*Set n_layers: 4"),
        ("text", "bart", {"d_model": 32, "vocab_size": 99}, 4, "is an encoder-decoder"),
        ("text", "dinov2", SEEING["dinov2"], 4, "no checkpoint that works as text.*Dinov2Model"),
    ],
)
def test_what_cannot_be_run_is_one_line(built, family, kind, sizes, n_layers, said):
    with pytest.raises(InputError, match=said) as refused:
        load(built(kind, sizes)[0], family, n_layers=n_layers)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("family", "change", "said"),
    [
        ("image", {"model_type": "nobody"}, "model_type nobody is none of an encoder.*ViT, DINOv2"),
        ("text", {"model_type": "nobody", "auto_map": {}}, "code of its own, which is never run"),
        ("image", {"vision_config": {"model_type": "clip_vision_model"}}, "Name a transformer"),
    ],
)
def test_types_without_an_encoder_are_one_line(built, tmp_path, family, change, said):
    folder, _ = built("bert", READING["bert"])
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=said):
        load(tmp_path, family)


@pytest.mark.parametrize(
    ("family", "names"),
    [
        ("text", ["tokenizer.json"]),
        ("image", ["preprocessor_config.json"]),
    ],
)
def test_missing_files_are_named(built, tmp_path, family, names):
    shutil.copytree(built("clip", SEEING["clip"])[0], tmp_path, dirs_exist_ok=True)
    for name in names:
        (tmp_path / name).unlink()
    with pytest.raises(InputError, match=f"lacks {names[0]}"):
        load(tmp_path, family)


@pytest.mark.parametrize(
    ("general", "own", "kind"),
    [("image", "vit", "vit"), ("image", "clip-image", "clip"), ("text", "clip-text", "clip")],
)
@pytest.mark.parametrize("random_seed", [None, 3])
def test_the_paper_s_families_are_the_general_ones(
    checkpoint, pictures, general, own, kind, random_seed
):
    shown = pictures(3) if general == "image" else [], TEXTS[:3]
    n_layers = 13 if general == "text" else 5
    one, other = (
        load(checkpoint(kind), family, n_layers=n_layers, random_seed=random_seed).embed(*shown)
        for family in (general, own)
    )
    assert torch.equal(one.states, other.states)
    assert torch.equal(one.n_tokens, other.n_tokens)
