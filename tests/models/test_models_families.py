from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from tiny_kinds import KIND_OF
from transformers import IdeficsProcessor, InstructBlipProcessor, LlavaProcessor

from brainstruct.errors import InputError
from brainstruct.models import tiny
from brainstruct.models.interface import ModelOptions
from brainstruct.models.opening import family_class
from brainstruct.models.registry import FAMILIES

INSTRUCTION = "Are there any people in this image? If yes, describe them."
RESPONDING = ("instructblip", "idefics", "llava", "auto")


@pytest.mark.parametrize("family", [*RESPONDING, "vit", "clip-image"])
def test_shapes_and_sight(load, pictures, family):
    model = load(family)
    assert model.modality == FAMILIES[family].modality
    shown = pictures(3)
    found = model.embed(shown, [INSTRUCTION] * 3)
    assert found.states.shape == (3, model.n_layers, model.feature_dim)
    assert found.states.dtype == torch.float32
    assert found.states.device.type == "cpu"
    assert found.n_tokens.dtype == torch.int64
    assert len(found.responses) == 3
    assert torch.equal(found.states, model.embed(shown, [INSTRUCTION] * 3).states)
    # Every layer sees the image, up to token embeddings of equal responses.
    assert (found.states[0] != found.states[1]).any(-1)[1:].all()


@pytest.mark.parametrize("family", RESPONDING)
def test_the_instruction_matters_in_every_layer(load, pictures, family):
    model = load(family)
    shown = pictures(3)
    one = model.embed(shown, [INSTRUCTION] * 3).states
    other = model.embed(shown, ["List any food items visible."] * 3).states
    assert ((one - other).norm(dim=-1) / one.norm(dim=-1) > 0.05).all()


@pytest.mark.parametrize("family", RESPONDING)
def test_one_instruction_per_batch(load, pictures, family):
    with pytest.raises(ValueError, match="one instruction"):
        load(family).prepare(pictures(2), [INSTRUCTION, "What is this?"])


def official(model, shown, instruction):
    if type(model).__name__ == "InstructBlip":
        processor = InstructBlipProcessor(
            model._images,
            model.tokenizer,
            model._qformer_tokenizer,
            model.network.config.num_query_tokens,
        )
        return processor(images=shown, text=[instruction] * len(shown), return_tensors="pt")
    if type(model).__name__ == "Llava":
        tower = model.network.config.vision_config
        processor = LlavaProcessor(
            model._images.image_processor,
            model.tokenizer,
            patch_size=tower.patch_size,
            vision_feature_select_strategy="default",
            num_additional_image_tokens=1,
        )
        prompt = f"USER: <image>\n{instruction}\nASSISTANT:"
        # The processor heeds what whoever saved the tokenizer had set.
        whole = {"return_tensors": "pt", "truncation": False}
        return processor(images=shown, text=[prompt] * len(shown), **whole)
    processor = IdeficsProcessor(model._images, model.tokenizer)
    prompt = [f"User: {instruction}", None, "<end_of_utterance>", "\nAssistant:"]
    return processor(
        text=[[picture if part is None else part for part in prompt] for picture in shown],
        add_end_of_utterance_token=False,
        return_tensors="pt",
    )


@pytest.mark.parametrize("family", ["instructblip", "idefics", "llava"])
def test_prompts_are_those_of_the_official_processors(load, pictures, family):
    model = load(family)
    shown = pictures(2)
    batch = model.prepare(shown, [INSTRUCTION] * 2)
    expected = official(model, shown, INSTRUCTION)
    assert set(batch) == set(expected)
    for name, values in batch.items():
        assert torch.equal(values.float(), expected[name].float()), name


@pytest.mark.parametrize("family", [*RESPONDING, "vit", "clip-image"])
def test_pixels_come_from_pillow(load, family):
    model = load(family)
    images = model.reader if model.modality == "image" else model._images
    images = getattr(images, "image_processor", images)
    assert type(images).__name__.endswith("Pil")


@pytest.mark.parametrize("family", [*RESPONDING, "vit", "clip-image"])
def test_batches_can_be_cut(load, pictures, family):
    model = load(family)
    shown = pictures(4)
    batch = model.prepare(shown, [INSTRUCTION] * 4)
    halves = [
        model.forward({name: values[start : start + 2] for name, values in batch.items()})
        for start in (0, 2)
    ]
    whole = model.forward(batch)
    torch.testing.assert_close(
        torch.cat([half.states for half in halves]), whole.states, rtol=1e-5, atol=1e-5
    )


def test_vit_averages_all_tokens_of_every_layer(load, pictures):
    model = load("vit")
    batch = model.prepare(pictures(2), [])
    layers = model.network(**batch, output_hidden_states=True).hidden_states
    found = model.forward(batch)
    torch.testing.assert_close(found.states, torch.stack([s.mean(1) for s in layers], 1))
    # 4 x 4 patches and the class token
    assert found.n_tokens.tolist() == [17, 17]
    assert found.responses == ["", ""]


def test_clip_towers_are_those_of_the_whole_model(load, checkpoint, pictures):
    from transformers import CLIPModel

    whole = CLIPModel.from_pretrained(checkpoint("clip")).eval()
    image = load("clip-image")
    batch = image.prepare(pictures(2), [])
    layers = whole.vision_model(**batch, output_hidden_states=True).hidden_states
    expected = torch.stack([states.mean(1) for states in layers], dim=1)
    torch.testing.assert_close(image.forward(batch).states, expected)

    text = load("clip-text")
    tokens = text.prepare([], ["a cat on the sofa"])
    layers = whole.text_model(**tokens, output_hidden_states=True).hidden_states
    expected = torch.stack([states.mean(1) for states in layers], dim=1)
    torch.testing.assert_close(text.forward(tokens).states, expected)


def test_captions_of_other_length_in_the_batch_change_nothing(load):
    model = load("clip-text")
    texts = ["a cat", "two brown horses stand in the grass next to a wooden fence", "the sea"]
    together = model.embed([], texts)
    for row, text in enumerate(texts):
        alone = model.embed([], [text])
        torch.testing.assert_close(together.states[row], alone.states[0], rtol=1e-5, atol=1e-5)
        assert together.n_tokens[row] == alone.n_tokens[0]
    assert together.n_tokens[1] > together.n_tokens[0]


def test_a_long_caption_is_cut_and_keeps_its_end(load):
    model = load("clip-text")
    batch = model.prepare([], ["the cat and the dog " * 60])
    assert batch["input_ids"].shape == (1, 77)
    assert batch["input_ids"][0, -1] == model.reader.eos_token_id


@pytest.mark.parametrize(
    ("family", "kind", "n_layers"),
    [
        ("instructblip", "instructblip", 33),
        ("idefics", "idefics", 33),
        ("llava", "llava", 33),
        ("vit", "vit", 33),
        ("clip-image", "clip", 25),
        ("clip-text", "clip", 13),
    ],
)
def test_hidden_states_at_default_size(tmp_path, pictures, family, kind, n_layers):
    tiny.build(kind, tmp_path / kind)
    model = family_class(family).load(ModelOptions(tmp_path / kind, n_layers, max_new_tokens=8))
    texts = ["a cat"] * 32 if family == "clip-text" else [INSTRUCTION] * 32
    found = model.embed(pictures(32), texts)
    assert found.states.shape[1] == n_layers
    # Half precision, in which states are stored, holds them with room to spare.
    assert found.states.abs().max() < np.finfo(np.float16).max / 100
    if model.modality == "image+instruction":
        assert len(set(found.responses)) > 16
        assert len(found.n_tokens.unique()) > 1


def test_random_weights_see_the_image(load, pictures):
    for family in RESPONDING:
        model = load(family, random_seed=7)
        states = model.embed(pictures(2), [INSTRUCTION] * 2).states
        assert (states[0] - states[1]).norm() / states[0].norm() > 1e-3


@pytest.mark.parametrize(
    ("family", "names"),
    [
        (key, [names] if isinstance(names, str) else names)
        for key, family in FAMILIES.items()
        for names in family.files
    ],
)
def test_the_files_that_the_registry_names_are_needed(checkpoint, tmp_path, family, names):
    kind = KIND_OF.get(family, family)
    folder = shutil.copytree(checkpoint(kind), tmp_path / kind)
    n_layers = 13 if family == "clip-text" else 5
    options = ModelOptions(folder, n_layers, random_seed=1, max_new_tokens=2)
    family_class(family).load(options)
    found = [folder / name for name in names if (folder / name).is_file()]
    assert found
    for path in found:
        path.unlink()
    with pytest.raises(InputError, match=f"lacks {' or '.join(names)}"):
        family_class(family).load(options)
