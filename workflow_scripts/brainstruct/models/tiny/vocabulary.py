"""Tokenizers of the kinds that the real checkpoints have, trained on a few sentences."""

import json
from collections.abc import Sequence
from pathlib import Path
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

SENTENCES: list[str] = json.loads(Path(__file__).with_name("sentences.json").read_bytes())
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


def qwen_tokenizer() -> Tokenizer:
    """Return a tokenizer in the manner of Qwen and GPT-2: pieces of bytes, and no begin of text.

    Its first ids are the bytes, from ``!`` on; the control characters are the last of them.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return _train(tokenizer, sorted(pre_tokenizers.ByteLevel.alphabet()), vocab_size=768)


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
