"""Tokenizers of the kinds that the real checkpoints have, trained on a few sentences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

SENTENCES = (
    "What is in this image? What can be seen in the picture?",
    "Are there any people in this image? If yes, describe them.",
    "What is the foreground of the image? What is in the background?",
    "How many animals are there in the image? Count the dogs and the cats.",
    "Describe the most dominant color in the image.",
    "List any food items visible. Name the things on the table.",
    "Generate some text to describe the image, in one short sentence.",
    "Highlight the area that shows a natural outdoor scene.",
    "What type of environment is shown in the image? Is it a city or a forest?",
    "What kind of interaction is happening between the animate and inanimate objects here?",
    "User: describe this photo.\nAssistant: there is a small house near the sea.",
    "Human: what is he doing?\nAI: He is riding a bike along the river.",
    "A conversation between a curious human and an assistant who gives helpful, polite answers.",
    "A man with a red hat walks his dog on the beach.",
    "Two brown horses stand in the grass next to a wooden fence.",
    "A bowl of soup, some bread and a cup of coffee on a white plate.",
    "The children are playing with a ball in front of the old school.",
    "A cat sleeps on the sofa while the rain falls outside the window.",
    "There are three people waiting for the train, and one of them reads a book.",
    "A large airplane is flying over green hills and a lake.",
    "The kitchen has a stove, a blue chair and a table with flowers.",
    "An empty street at night, lit by yellow lamps and the moon.",
    "A woman is cutting an orange with a knife; her daughter is looking at her.",
    "Several boats are lying in the harbour in front of the mountains.",
    "Yes, there is one person. No, there are no animals in this image.",
    "The dominant color is blue, because the sky fills most of the picture.",
)
"""Questions of the study's kind, and descriptions as a model might answer them."""

LLAMA_UNKNOWN, LLAMA_BEGIN, LLAMA_END = "<unk>", "<s>", "</s>"

CONTROL_BYTES = range(3, 35)
"""Ids of the bytes 0x00 to 0x1F in `llama_tokenizer`: they never stand in text,
so tiny models may end their responses with them."""


def llama_tokenizer(begin: str, added: Sequence[str]) -> Tokenizer:
    """Return a tokenizer in the manner of LLaMA.

    Pieces of words with a leading ``▁``, merged by frequency; what is in no
    piece falls back to bytes. Ids: 0 ``<unk>``, 1 ``<s>``, 2 ``</s>``, 3 to 258
    the bytes, then pieces up to 767, then the special tokens `added`. Every text
    starts with `begin`; Vicuna InstructBLIP has ``</s>`` there.
    """
    specials = [LLAMA_UNKNOWN, LLAMA_BEGIN, LLAMA_END]
    bytes_ = [f"<0x{value:02X}>" for value in range(256)]
    trained = Tokenizer(models.BPE(unk_token=LLAMA_UNKNOWN, fuse_unk=True, byte_fallback=True))
    trained.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    trained.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trained.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    tokenizer = _train(trained, specials + bytes_, kept=specials, vocab_size=768)
    tokenizer.pre_tokenizer = None
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in added])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A",
        pair=f"{begin} $A {begin} $B",
        special_tokens=[(begin, token_id(tokenizer, begin))],
    )
    return tokenizer


def bert_tokenizer() -> Tokenizer:
    """Return a tokenizer in the manner of BERT, as the Q-Former has it.

    Its vocabulary is the words of the sentences and single characters, for the
    library's trainer breaks ties by chance.
    """
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    normalizer = normalizers.BertNormalizer(lowercase=True)
    splitter = pre_tokenizers.BertPreTokenizer()
    words = {
        word
        for sentence in SENTENCES
        for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(sentence))
    }
    characters = {character for word in words for character in word} | set("0123456789")
    entries = [
        *specials,
        *sorted(characters),
        *(f"##{character}" for character in sorted(characters)),
        *sorted(words - characters),
    ]
    vocab = {entry: number for number, entry in enumerate(entries)}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens([*specials, "[DEC]"])
    tokenizer.post_processor = processors.BertProcessing(
        ("[SEP]", token_id(tokenizer, "[SEP]")), ("[CLS]", token_id(tokenizer, "[CLS]"))
    )
    return tokenizer


CLIP_BEGIN, CLIP_END = "<|startoftext|>", "<|endoftext|>"


def clip_tokenizer() -> Tokenizer:
    """Return a tokenizer in the manner of CLIP: lower-case words, byte-level pieces."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trained = Tokenizer(models.BPE(unk_token=CLIP_END, end_of_word_suffix="</w>"))
    trained.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    trained.decoder = decoders.ByteLevel()
    # Every byte, within and at the end of a word, so that nothing is unknown.
    bytes_ = alphabet + [f"{byte}</w>" for byte in alphabet]
    tokenizer = _train(trained, bytes_, vocab_size=1024, end_of_word_suffix="</w>")
    tokenizer.add_special_tokens([CLIP_BEGIN, CLIP_END])
    tokenizer.post_processor = processors.RobertaProcessing(
        (CLIP_END, token_id(tokenizer, CLIP_END)),
        (CLIP_BEGIN, token_id(tokenizer, CLIP_BEGIN)),
        trim_offsets=False,
        add_prefix_space=False,
    )
    return tokenizer


def _train(
    tokenizer: Tokenizer, first: Sequence[str], kept: Sequence[str] = (), **options: Any
) -> Tokenizer:
    """Learn pieces, with the ids after `first`, of which only what is `kept` stays special.

    The trainer makes all of them special, which would hide bytes from decoding.
    """
    trainer = trainers.BpeTrainer(special_tokens=list(first), show_progress=False, **options)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [
        token for token in content["added_tokens"] if token["content"] in kept
    ]
    return Tokenizer.from_str(json.dumps(content))


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """Return the id of a token that is there."""
    return int(tokenizer.get_vocab()[token])
