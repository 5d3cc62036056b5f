"""Where stimuli come from, as far as this room knows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Self

import torch
from PIL import Image

from brainstruct.errors import InputError
from brainstruct.models.interface import STIMULUS, Batch, FeatureModel, Features


@dataclass(frozen=True)
class Stimuli:
    """What can be shown to a model; it is asked from a background thread."""

    # ids -> one RGB image each, for models that see; one or more captions each.
    images: Callable[[Sequence[int]], Sequence[Image.Image]] | None = None
    captions: Callable[[Sequence[int]], Sequence[Sequence[str]]] | None = None
    # ids -> rows and columns of each image; None: all have one size, or are text.
    sizes: Callable[[Sequence[int]], Sequence[tuple[int, int]]] | None = None

    def read_once(self, ids: Sequence[int]) -> Self:
        """Return the same for these stimuli alone, whose images are read here, for several uses."""
        if self.images is None:
            return self
        found = self.images(ids)
        return replace(self, images=lambda _: found)

    def by_size(self, ids: Sequence[int]) -> list[list[int]]:
        """Divide stimuli by the size of their images, ascending; each part keeps their order."""
        if self.sizes is None:
            return [list(ids)]
        parts: dict[tuple[int, int], list[int]] = {}
        for stimulus, size in zip(ids, self.sizes(ids), strict=True):
            parts.setdefault(size, []).append(stimulus)
        return [parts[size] for size in sorted(parts)]


def prepare(
    model: FeatureModel, stimuli: Stimuli, ids: Sequence[int], instruction: str | None
) -> tuple[Batch, list[int]]:
    """Turn a few stimuli of a block into model inputs, and count the rows of each.

    A stimulus has one row, or one per caption; an `InputError` if it has none. A `ValueError`
    if stimuli are not of the kind the model reads, or an instruction is missing or pointless.
    """
    if (instruction is not None) != (model.modality == "image+instruction"):
        raise ValueError(f"instruction {instruction!r} does not suit a model of {model.modality}")
    if model.modality == "text":
        if stimuli.captions is None:
            raise ValueError("the model reads text, but there are no captions")
        captions = stimuli.captions(ids)
        for stimulus, own in zip(ids, captions, strict=True):
            if not own:
                raise InputError(
                    f"captions of stimulus {stimulus}",
                    "there are none",
                    "Check that data.annotations holds the captions of train2017 and val2017",
                )
        texts = [caption for own in captions for caption in own]
        return model.prepare([], texts), [len(own) for own in captions]
    if stimuli.images is None:
        raise ValueError("the model sees images, but there are none")
    images = stimuli.images(ids)
    if len(images) != len(ids):
        raise ValueError(f"asked for {len(ids)} images, got {len(images)}")
    texts = [] if instruction is None else [instruction] * len(images)
    batch = model.prepare(images, texts)
    if model.options.sampling is not None:
        batch[STIMULUS] = torch.tensor(ids, dtype=torch.int64)
    return batch, [1] * len(images)


def average_rows(features: Features, rows: Sequence[int]) -> Features:
    """Average features of rows over those of each stimulus: every caption counts the same.

    ``n_tokens`` is the sum over rows, responses are joined by line breaks; `rows`
    is how many rows each stimulus has, in order.
    """
    if all(count == 1 for count in rows):
        return features
    ends = list(accumulate(rows))
    owned = [slice(end - count, end) for end, count in zip(ends, rows, strict=True)]
    return Features(
        states=torch.stack([features.states[own].mean(0) for own in owned]),
        responses=["\n".join(filter(None, features.responses[own])) for own in owned],
        n_tokens=torch.stack([features.n_tokens[own].sum() for own in owned]),
        truncated=torch.stack([features.truncated[own].any() for own in owned]),
    )
