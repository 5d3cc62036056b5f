"""Token ids and pixels: exactly those of the reference."""

from __future__ import annotations

import json

import pytest
import torch
from PIL import Image

from brainstruct.errors import InputError
from brainstruct.models.mplug_owl.pixels import ImageProcessor
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


def test_tokenizer_file_missing_or_damaged(tmp_path):
    with pytest.raises(InputError, match=r"lacks tokenizer\.model"):
        PromptTokenizer(tmp_path / "tokenizer.model", 65)
    (tmp_path / "tokenizer.model").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match="no SentencePiece model"):
        PromptTokenizer(tmp_path / "tokenizer.model", 65)


def test_pixels(reference_folder, reference, reference_images):
    process = ImageProcessor.read(reference_folder / "preprocessor_config.json", 28)
    assert torch.equal(process(reference_images), reference["same.pixel_values"])


def test_grey_images_are_taken_as_rgb(reference_folder):
    process = ImageProcessor.read(reference_folder / "preprocessor_config.json", 28)
    grey = Image.new("L", (30, 40), 77)
    assert torch.equal(process([grey]), process([Image.new("RGB", (30, 40), (77, 77, 77))]))


@pytest.mark.parametrize("size", [28, {"shortest_edge": 28}, {"height": 28, "width": 28}])
def test_every_way_to_state_the_size(tmp_path, size):
    path = tmp_path / "preprocessor_config.json"
    path.write_text(json.dumps({"image_mean": [0, 0, 0], "image_std": [1, 1, 1], "size": size}))
    assert ImageProcessor.read(path, 28).size == 28


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"size": {"height": 28, "width": 56}}, r"states the size \[28, 56\]"),
        ({"resample": 2}, "resampling 2, not 3"),
        ({"image_std": [1, 0, 1]}, "three positive deviations"),
        ({"image_mean": None}, "no image processing file"),
    ],
)
def test_another_processing_is_refused(tmp_path, change, fault):
    path = tmp_path / "preprocessor_config.json"
    content = {"image_mean": [0, 0, 0], "image_std": [1, 1, 1], "size": 28} | change
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=fault):
        ImageProcessor.read(path, 28)


def test_processing_file_missing(tmp_path):
    with pytest.raises(InputError, match=r"lacks preprocessor_config\.json"):
        ImageProcessor.read(tmp_path / "preprocessor_config.json", 28)
