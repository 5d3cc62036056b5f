"""What is wrong with a checkpoint's texts is one line that names the file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from brainstruct.errors import InputError
from brainstruct.models.files import require_weights
from brainstruct.models.interface import ModelOptions
from brainstruct.models.opening import family_class


def load(folder: Path, family: str) -> object:
    return family_class(family).load(ModelOptions(folder, n_layers=5, max_new_tokens=2))


def change(*keys: str, to: object) -> Callable[[Path], None]:
    """Set what a JSON file has under some keys."""

    def spoil(path: Path) -> None:
        content = json.loads(path.read_text())
        inner = content
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = to
        path.write_text(json.dumps(content))

    return spoil


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content)


NESTED = '{"model_type": ' + "[" * 200_000

SPOILT: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "a list": ("vit", "config.json", text("[1, 2]")),
    "a number": ("vit", "config.json", text("12")),
    "null": ("llava", "config.json", text("null")),
    "nested without end": ("llava", "config.json", text(NESTED)),
    "not UTF-8": ("vit", "config.json", lambda path: path.write_bytes(b'{"a": "\xff"}')),
    "empty": ("vit", "config.json", text("")),
    "no heads": ("vit", "config.json", change("num_attention_heads", to=0)),
    "no heads inside": (
        "llava", "config.json", change("text_config", "num_attention_heads", to=0)),
    "no patches": ("vit", "config.json", change("patch_size", to=0)),
    "negative width": ("vit", "config.json", change("hidden_size", to=-32)),
    "an unknown activation": ("vit", "config.json", change("hidden_act", to="swosh")),
    "an unknown activation inside": (
        "instructblip", "config.json", change("text_config", "hidden_act", to="swosh")),
    "a text for a number": ("vit", "config.json", change("intermediate_size", to="many")),
    "a list for a part": ("instructblip", "config.json", change("vision_config", to=[1])),
    "a number for a part": ("llava", "config.json", change("text_config", to=7)),
    "blocks without end": (
        "llava", "config.json", change("vision_config", "num_hidden_layers", to=10**9)),
    "wider than its weights": (
        "instructblip", "config.json", change("text_config", "vocab_size", to=10**9)),
    "a processor that is a list": ("vit", "preprocessor_config.json", text("[]")),
    "a processor that is cut": ("vit", "preprocessor_config.json", text('{"size"')),
    "settings of a processor that are a list": (
        "instructblip", "processor_config.json", text("[]")),
    "a processor of no size": (
        "llava", "preprocessor_config.json", change("crop_size", to="large")),
    "a tokenizer's settings that are a list": ("llava", "tokenizer_config.json", text("[]")),
    "a tokenizer's settings that are cut": ("idefics", "tokenizer_config.json", text('{"a')),
    "a tokenizer that is a pointer": (
        "idefics", "tokenizer.json", text("version https://git-lfs.github.com/spec/v1\n")),
    "generation settings that are a list": ("llava", "generation_config.json", text("[]")),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT)
def test_one_line_names_the_file(checkpoint, tmp_path, kind):
    family, name, spoil = SPOILT[kind]
    folder = shutil.copytree(checkpoint(family), tmp_path / family)
    if not (folder / name).exists() and name == "preprocessor_config.json":
        name = "processor_config.json"
        if kind == "a processor of no size":
            spoil = change("image_processor", "crop_size", to="large")
    spoil(folder / name)
    with pytest.raises(InputError) as refused:
        load(folder, family)
    assert refused.value.where == str(folder / name), str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "shard",
    [
        "../outside.safetensors",
        "/etc/hostname.safetensors",
        "deep/a.safetensors",
        "../../x.bin",
        "a.pt",
    ],
)
def test_shards_lie_beside_their_index(tmp_path, shard):
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": shard}}))
    with pytest.raises(InputError, match="outside of its folder") as refused:
        require_weights(tmp_path)
    assert shard in refused.value.fault


@pytest.mark.parametrize("content", ["[]", '{"weight_map": 3}', '{"weight_map": [1]}', "{}", "["])
def test_an_index_of_another_kind_is_named(tmp_path, content):
    (tmp_path / "model.safetensors.index.json").write_text(content)
    with pytest.raises(InputError, match="no index of weight shards"):
        require_weights(tmp_path)


def test_a_tokenizer_with_more_tokens_than_the_model_embeds_is_named(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("llava"), tmp_path / "llava")
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    vocabulary = content["model"]["vocab"]
    highest = max(
        (token for token in vocabulary if token.isalpha()), key=lambda token: vocabulary[token]
    )
    content["model"]["vocab"] = {
        token: (number + 10**6 if token == highest or len(token) < 3 else number)
        for token, number in vocabulary.items()
    }
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"but the model embeds|tokenizer\.json"):
        load(folder, "llava")


@pytest.mark.parametrize(
    ("family", "kind", "name"),
    [
        ("clip-text", "clip", "tokenizer.json"),
        ("idefics", "idefics", "tokenizer.json"),
        ("instructblip", "instructblip", "tokenizer.json"),
        ("instructblip", "instructblip", "qformer_tokenizer/tokenizer.json"),
    ],
)
def test_a_token_of_one_text_alone_may_be_beyond_the_model(
    checkpoint, tmp_path, family, kind, name
):
    """Nothing that is asked on loading has it."""
    folder = shutil.copytree(checkpoint(kind), tmp_path / kind)
    path = folder / name
    content = json.loads(path.read_text())
    # The library numbers what is added one by one; networks have rows to spare.
    plain = dict.fromkeys(("special", "normalized", "single_word", "lstrip", "rstrip"), False)
    first = 1 + max(token["id"] for token in content["added_tokens"])
    names = [*(f"<spare {number}>" for number in range(100)), "zebra"]
    content["added_tokens"] += [
        {"id": first + number, "content": name, **plain} for number, name in enumerate(names)
    ]
    path.write_text(json.dumps(content))
    n_layers = 13 if family == "clip-text" else 5
    model = family_class(family).load(ModelOptions(folder, n_layers=n_layers, max_new_tokens=2))
    picture = Image.new("RGB", (40, 40))
    model.prepare([picture], ["a horse"])
    with pytest.raises(InputError, match=r"a text the token \d+, but the model embeds") as refused:
        model.prepare([picture], ["a zebra"])
    assert str(path.parent) == refused.value.where
