"""From an instruction to token ids, and from token ids to a response."""

from collections.abc import Sequence
from pathlib import Path

from sentencepiece import SentencePieceProcessor

from brainstruct.errors import InputError
from brainstruct.models.files import fetch_cure
from brainstruct.models.prompts import written
from brainstruct.store.faults import reading

IMAGE_MARK = "<image>"
"""Where the image stands in the text of a prompt."""

IMAGE_ID = -1
"""Stands in the token ids for each vector of an image; no token has it."""

TEMPLATE = (
    "The following is a conversation between a curious human and AI assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions.\n"
    f"Human: {IMAGE_MARK}\n"
    "Human: {instruction}\n"
    "AI:"
)
"""The conversation on which the published model was tuned."""


class PromptTokenizer:
    """LLaMA's SentencePiece model, used as mPLUG-Owl was trained.

    The text on each side of the image is tokenised alone, so that each piece
    begins with SentencePiece's dummy prefix.

    An image is `image_length` vectors long. An `InputError` if the file is damaged, or has no
    tokens for begin and end.
    """

    def __init__(self, path: Path, image_length: int) -> None:
        cure = fetch_cure(path.parent)
        with reading(path, "SentencePiece model", cure):
            self._pieces = SentencePieceProcessor(model_file=str(path))
        self.bos_id: int = self._pieces.bos_id()
        self.eos_id: int = self._pieces.eos_id()
        if min(self.bos_id, self.eos_id) < 0:
            raise InputError(path, "has no token for the begin or the end of a text", cure)
        self.n_tokens: int = self._pieces.get_piece_size()
        self.image_length = image_length

    def encode_prompt(self, instruction: str, template: str = TEMPLATE) -> list[int]:
        """Put an instruction, which may hold no `IMAGE_MARK`, into the template and `encode` it."""
        if IMAGE_MARK in instruction:
            raise InputError(
                f"instruction {instruction!r}",
                f"contains {IMAGE_MARK}, which stands for the image in the prompt",
                "Remove it: the image is put before the instruction",
            )
        return self.encode(written(template, instruction, IMAGE_MARK))

    def encode(self, text: str) -> list[int]:
        """Tokenise a text in which `IMAGE_MARK` stands for each image.

        The token of begin comes first; each vector of an image is an `IMAGE_ID`.
        """
        ids = [self.bos_id]
        for n_before, chunk in enumerate(text.split(IMAGE_MARK)):
            if n_before:
                ids += [IMAGE_ID] * self.image_length
            if chunk:
                ids += self._pieces.encode(chunk)
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of a response, without tokens of begin and end, stripped.

        Ids that no token has, of rows that a network embeds to spare, are no text.
        """
        text: str = self._pieces.decode([one for one in ids if one < self.n_tokens])
        return text.strip()
