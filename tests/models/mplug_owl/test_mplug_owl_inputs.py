"""Token ids and pixels: exactly those of the reference."""

from __future__ import annotations

import json

import pytest
import torch
from PIL import Image

from brainstruct.errors import InputError
from brainstruct.models.mplug_owl.family import load_images
from brainstruct.models.mplug_owl.prompt import IMAGE_ID, TEMPLATE, PromptTokenizer


@pytest.fixture(scope="module")
def tokenizer(reference_folder):
    return PromptTokenizer(reference_folder / "tokenizer.model", image_length=65)


def test_template_is_the_published_one(reference_folder):
    published = json.loads((reference_folder / "prompts.json").read_text())["template"]
    assert TEMPLATE.replace("{instruction}", "{}") == published


def test_token_ids(tokenizer, reference, instructions):
    assert tokenizer.encode_prompt(instructions[0]) == reference["same.input_ids"][0].tolist()
    assert tokenizer.encode_prompt(instructions[1]) == reference["padded.input_ids"][1].tolist()


def test_each_chunk_has_its_own_prefix(tokenizer):
    alone = tokenizer.encode("seen")[1:]
    around = tokenizer.encode("seen<image>seen")
    assert around == [1, *alone, *[IMAGE_ID] * 65, *alone]


def test_braces_in_an_instruction_are_text(tokenizer):
    ids = tokenizer.encode_prompt("Fill {this} in")
    assert "Fill {this} in" in tokenizer.decode([token for token in ids if token != IMAGE_ID])


def test_decoding_leaves_out_begin_and_end(tokenizer):
    ids = tokenizer.encode("A red couch.")
    assert tokenizer.decode([*ids, tokenizer.eos_id]) == "A red couch."


def test_an_image_in_the_instruction_is_refused(tokenizer):
    with pytest.raises(InputError, match="contains <image>"):
        tokenizer.encode_prompt("What is in <image>?")


def test_tokenizer_file_damaged(tmp_path):
    (tmp_path / "tokenizer.model").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match="is a Git LFS pointer"):
        PromptTokenizer(tmp_path / "tokenizer.model", 65)


def test_pixels(reference_folder, reference, reference_images):
    process = load_images(reference_folder, 28)
    found = process(reference_images, return_tensors="pt")["pixel_values"]
    assert torch.equal(found, reference["same.pixel_values"])


def test_grey_images_are_taken_as_rgb(reference_folder):
    process = load_images(reference_folder, 28)
    pictures = [Image.new("L", (30, 40), 77), Image.new("RGB", (30, 40), (77, 77, 77))]
    grey, coloured = process(pictures, return_tensors="pt")["pixel_values"]
    assert torch.equal(grey, coloured)


@pytest.mark.parametrize("size", [28, {"shortest_edge": 28}, {"height": 28, "width": 56}])
def test_images_fill_the_squares_of_the_network_whatever_is_stated(tmp_path, size):
    path = tmp_path / "preprocessor_config.json"
    path.write_text(json.dumps({"image_mean": [0, 0, 0], "image_std": [1, 1, 1], "size": size}))
    picture = Image.new("RGB", (60, 40), (51, 102, 255))
    (pixels,) = load_images(tmp_path, 14)(picture, return_tensors="pt")["pixel_values"]
    assert pixels.shape == (3, 14, 14)
    torch.testing.assert_close(pixels[:, 3, 5], torch.tensor([0.2, 0.4, 1.0]))


@pytest.mark.parametrize("content", ["[]", '{"size'])
def test_another_processing_is_refused(tmp_path, content):
    path = tmp_path / "preprocessor_config.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"preprocessor_config\.json: is damaged or no"):
        load_images(tmp_path, 28)(Image.new("RGB", (40, 40)))
