"""Prompts: a text of the study, or what a checkpoint's chat template makes of an instruction."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast

from brainstruct.errors import InputError
from brainstruct.store.faults import reading

INSTRUCTION, IMAGE = "{instruction}", "{image}"

THINKING = {
    "<think>": "</think>",
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|channel>": "<channel|>",
}
"""How models begin and end what is no answer yet."""


def written(template: str, instruction: str, image: str) -> str:
    """Put an instruction, and what stands for the image, into a text that has places for them.

    Examples
    --------
    >>> written("USER: {image} {instruction}", "Is {image} a cat?", "<image>")
    'USER: <image> Is {image} a cat?'
    """
    return template.replace(IMAGE, image).replace(INSTRUCTION, instruction)


def chat(
    folder: Path,
    tokenizer: PreTrainedTokenizerFast,
    template: Any,
    instruction: str,
    arguments: Mapping[str, Any],
) -> str:
    """Return what a chat template makes of an image and an instruction, ready for an answer.

    The arguments are the template's own; ``system`` is the text of a message before it. An
    `InputError` if there is no template or it refuses, or the prompt would hold today's date.
    """
    cure = "Write the prompt into models[].prompt, with {image} and {instruction}"
    if not isinstance(template, str):
        fault = "has no chat template" if template is None else "has several chat templates"
        raise InputError(folder, fault, cure)
    if "strftime_now" in template and not any("date" in name for name in arguments):
        raise InputError(
            folder,
            "its chat template puts today's date into the prompt",
            "Give it a date, such as models[].chat: {date_string: 26 Jul 2024}",
        )
    system = arguments.get("system")
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": instruction}]}
    ]
    if system is not None:
        messages.insert(0, {"role": "system", "content": [{"type": "text", "text": system}]})

    with reading(folder, "chat template that takes an image and an instruction", cure):
        text = tokenizer.apply_chat_template(
            messages,
            chat_template=template,
            tokenize=False,
            add_generation_prompt=True,
            **{name: value for name, value in arguments.items() if name != "system"},
        )
    return str(text)


def thinking_marks(folder: Path, tokenizer: PreTrainedTokenizerFast) -> dict[int, int]:
    """Return the tokens that begin thinking, and end it; an `InputError` if there are none."""
    known = tokenizer.get_vocab()
    found = {known[one]: known[end] for one, end in THINKING.items() if {one, end} <= known.keys()}
    if not found:
        fault = f"{folder.name} has no tokens of their own that begin and end thinking"
        cure = "Leave it out for this model: thinking could not be told from the answer"
        raise InputError("models[].thinking_tokens", fault, cure)
    return found


def require_answer(folder: Path, known: dict[str, int], prompt: str, let: Collection[int]) -> None:
    """Refuse a prompt after which a model would think unasked, or which may let it unnoticed.

    An `InputError` if it ends within such a part, and what begins it is no token that it is `let`
    begin, or it has one whose begin is none of the `known` tokens.
    """
    for begin, end in THINKING.items():
        fault = None
        if prompt.rfind(begin) > prompt.rfind(end) and known.get(begin) not in let:
            fault = f"its prompt ends where the model would begin to think ({begin}), no answer"
        elif begin in prompt and begin not in known:
            fault = f"thinks after {begin}, which is no token of its own: nothing can keep it from"
        if fault:
            cure = "Set models[].chat: {enable_thinking: false}, write models[].prompt, or let it "
            raise InputError(folder, fault, f"{cure}think (models[].thinking_tokens)")


def require_plain(folder: Path, tokenizer: PreTrainedTokenizerFast, instruction: str) -> None:
    """Refuse an instruction that holds what the tokenizer takes for a token of its own."""
    for token in sorted(map(str, tokenizer.added_tokens_decoder.values())):
        if token.strip() and token in instruction:
            raise InputError(
                f"instruction {instruction!r}",
                f"contains {token}, which is a token of its own to {folder.name}",
                "Write it without",
            )
