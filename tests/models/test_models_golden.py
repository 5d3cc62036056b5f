"""Prompts are tokenised as published: ids that the authors' own tests and files state.

The vocabularies are made of those few pieces, at their published ids; what is between
them is filled up. So the tests hold the templates, the special tokens and their places.
"""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from brainstruct.models import prompts, tokens
from brainstruct.models.auto import Llava
from brainstruct.models.idefics import Idefics
from brainstruct.models.instructblip import InstructBlip
from brainstruct.models.mplug_owl.prompt import IMAGE_ID, PromptTokenizer
from brainstruct.models.tiny.vocabulary import clip_tokenizer

QUESTION = "What is unusual about this image?"
ASKED = [1724, 338, 22910, 1048, 445, 1967, 29973]
PIECES = dict(
    zip(ASKED, ["▁What", "▁is", "▁unusual", "▁about", "▁this", "▁image", "?"], strict=True)
) | {
    4911: "▁User",
    29901: ":",
    29871: "▁",
    7900: "Ass",
    22137: "istant",
}  # fmt: skip


def llama(folder, added, begin=None):
    """Write LLaMA's tokenizer as far as it is known, and load it as a family does."""
    pieces = [(f"<unused {number}>", -100.0) for number in range(32000)]
    pieces[:3] = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0)]
    pieces[3:259] = [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
    for number, piece in PIECES.items():
        pieces[number] = (piece, -1.0)
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    special = [AddedToken(token, normalized=False) for token in ("<s>", "</s>", *added)]
    tokenizer.add_special_tokens(special)
    if begin:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, tokenizer.token_to_id(begin))]
        )
    return written(tokenizer, folder, bos_token=begin or "<s>", eos_token="</s>")


def written(tokenizer, folder, **special):
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return tokens.load_tokenizer(folder)


def model(family, tokenizer, **config):
    """A model without weights, with its family's own prompt."""
    found = object.__new__(family)
    found.tokenizer = tokenizer
    found.network = SimpleNamespace(config=SimpleNamespace(**config))
    found.options = SimpleNamespace(prompt=None)
    return found


def test_instructblip(tmp_path):
    tokenizer = llama(tmp_path, ["[PAD]", "<image>"], begin="</s>")
    sizes = {"image_token_id": 32001, "num_query_tokens": 32}
    found = model(InstructBlip, tokenizer, **sizes).prompt_ids(QUESTION)
    assert found == [32001] * 32 + [2, *ASKED]


def test_idefics(tmp_path):
    added = ["<fake_token_around_image>", "<image>", "<end_of_utterance>"]
    found = model(Idefics, llama(tmp_path, added)).prompt_ids(QUESTION)
    image = [32000, 32001, 32000, 32002]
    assert found == [1, 4911, 29901, *ASKED, *image, 29871, 13, 7900, 22137, 29901]


def test_llava_ends_as_its_readme_says(tmp_path):
    tokenizer = llama(tmp_path, ["<image>", "<pad>"], begin="<s>")
    prompt = prompts.written(Llava.usual_template, QUESTION, "<image>")
    assert prompt == f"USER: <image>\n{QUESTION}\nASSISTANT:"
    found = tokenizer(prompt)["input_ids"]
    start = found.index(32000)
    assert found[0] == 1
    assert 32000 not in found[start + 1 :]
    # The blank that begins a piece of text, a line feed, and a question without a blank.
    assert found[start + 1 :][:2] == [29871, 13]
    ending = found.index(29973)
    assert found[ending : ending + 2] == [29973, 13]  # not 29871: "?\\n", not "? "
    assert found[-1] == 29901


@pytest.mark.parametrize("family", ["mplug-owl"])
def test_mplug_owl_ends_as_its_paper_s_code(checkpoint, family):
    tokenizer = PromptTokenizer(checkpoint(family) / "tokenizer.model", 65)
    found = tokenizer.encode_prompt(QUESTION)
    assert found[0] == tokenizer.bos_id
    assert found.count(IMAGE_ID) == 65
    # With the blank of the README there would be one token more.
    assert tokenizer.decode(found[-2:]).endswith(":")


def test_clip(tmp_path):
    letters = ["i", "m", "a", "g", "e</w>"]
    merged = ["im", "ima", "imag"]
    known = {token: number for number, token in enumerate(letters + merged)}
    known |= {"image</w>": 2867, "<|startoftext|>": 49406, "<|endoftext|>": 49407}
    used = set(known.values())
    known |= {f"unused {number}": number for number in range(49408) if number not in used}
    merges = list(zip(["i", "im", "ima", "imag"], letters[1:], strict=True))
    alike = clip_tokenizer()
    begin, end = (("<|startoftext|>", 49406), ("<|endoftext|>", 49407))
    tokenizer = Tokenizer(models.BPE(known, merges, unk_token=end[0], end_of_word_suffix="</w>"))
    tokenizer.normalizer = alike.normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        Regex(r"[\p{L}]+|[^\s\p{L}]+"), "removed", invert=True
    )
    tokenizer.add_special_tokens([begin[0], end[0]])
    tokenizer.post_processor = processors.RobertaProcessing(
        end, begin, trim_offsets=False, add_prefix_space=False
    )
    loaded = written(tokenizer, tmp_path, bos_token=begin[0], eos_token=end[0], unk_token=end[0])
    assert loaded("image")["input_ids"] == loaded("Image")["input_ids"] == [49406, 2867, 49407]
