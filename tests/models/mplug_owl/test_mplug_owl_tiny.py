"""The builder of tiny checkpoints."""

from __future__ import annotations

import pytest
from safetensors.numpy import load_file

from brainstruct.models.mplug_owl.family import read_config
from brainstruct.models.mplug_owl.prompt import PromptTokenizer
from brainstruct.models.mplug_owl.tiny import build
from brainstruct.models.tiny.vocabulary import SENTENCES


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        made[name] = tmp_path_factory.mktemp(name)
        build(made[name], seed, n_blocks=2)
    return made


def test_the_same_seed_gives_the_same_bytes(folders):
    files = sorted(path.name for path in folders["first"].iterdir())
    assert files == [
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "tokenizer.model",
    ]
    for file in files:
        content = {name: (folder / file).read_bytes() for name, folder in folders.items()}
        assert content["first"] == content["again"]
        assert (content["first"] == content["other"]) == (file != "model.safetensors")


def test_the_tokenizer_is_like_the_published_one(folders):
    folder = folders["first"]
    tokenizer = PromptTokenizer(folder / "tokenizer.model", 17)
    assert (tokenizer.bos_id, tokenizer.eos_id) == (1, 2)
    assert tokenizer.n_tokens == read_config(folder).text_config.vocab_size
    for text in (*SENTENCES, "naïve  café, 12 dogs\nAI:", "犬"):
        assert tokenizer.decode(tokenizer.encode(text)) == text.strip()


def test_norms_leave_the_size_of_states(folders):
    weights = load_file(folders["first"] / "model.safetensors")
    norms = {
        name: weight
        for name, weight in weights.items()
        if name.endswith("weight") and weight.ndim == 1
    }
    assert len(norms) > 4
    for name, weight in norms.items():
        assert abs(weight.mean() - 1) < 0.1, name
