"""What prompts about one image begin with, run once for all of them.

Where the image stands before the instruction, the decoder sees it in the same way whatever is
asked: keys and values of these positions are kept, and each instruction goes on from a copy.
"""

import copy
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.generation.utils import MULTIMODAL_INPUTS_TO_DROP_OUTSIDE_PREFILL

from brainstruct.models.interface import Batch

ROWS = "rows of "
"""Before the name of an input of which a stimulus has several rows (patches, tiles)."""


@dataclass(frozen=True)
class Beginning:
    """Positions that the prompts of a batch begin with, as the decoder has seen them."""

    length: int  # positions
    cache: Any  # their keys and values

    def continued(self, inputs: Batch) -> dict[str, Any]:
        """Return inputs of a whole prompt, for a generation that goes on from here."""
        seen = {"past_key_values": copy.deepcopy(self.cache)}
        return seen | {
            name: values
            for name, values in inputs.items()
            if name.removeprefix(ROWS) not in MULTIMODAL_INPUTS_TO_DROP_OUTSIDE_PREFILL
        }


def common_length(batches: Sequence[Batch], image_ids: Collection[int]) -> int:
    """Return how many positions the prompts of several batches begin with alike.

    0 unless the image, for which `image_ids` stand, is among them, and no image behind them.
    Each prompt goes on for one position at least.
    """
    prompts = [batch["input_ids"] for batch in batches]
    n = min(ids.shape[1] for ids in prompts) - 1
    alike = torch.stack([(ids[:, :n] == prompts[0][:, :n]).all(0) for ids in prompts]).all(0)
    length = int(alike.long().cumprod(0).sum())
    wanted = torch.tensor(sorted(image_ids), device=alike.device)
    images = [torch.isin(ids, wanted) for ids in prompts]
    whole = all(one[:, :length].any() and not one[:, length:].any() for one in images)
    return length if whole else 0


def cut(inputs: Batch, length: int) -> Batch:
    """Return inputs of the first positions of prompts, images included."""
    whole = inputs["input_ids"].shape[1]
    return {
        name: values
        if name.removeprefix(ROWS) in MULTIMODAL_INPUTS_TO_DROP_OUTSIDE_PREFILL
        or values.shape[1:2] != (whole,)
        else values[:, :length]
        for name, values in inputs.items()
    }
