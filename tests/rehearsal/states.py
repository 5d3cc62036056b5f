"""Hidden states that look like those of a language model, without one.

Their spectrum decays as a power of the rank, a few features are much larger than the rest
(and off zero), as in language models, and what an image is goes through all layers and
instructions, more or less mixed with what belongs to one alone.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from brainstruct.datasets.nsd.synthetic.streams import stream

LATENT = 512
"""Directions that carry more than noise."""
DECAY = -0.5
"""Exponent by which the standard deviation of directions falls with their rank."""
NOISE = 0.05
"""Standard deviation of what no direction explains, over that of a usual feature."""
OUTLIERS, LARGER = 4, 40.0
"""Features that are so many times larger than others, with a mean as large."""
SHARES = {"image": 0.7, "instruction": 0.5, "layer": 0.5}
"""Standard deviation of what comes from the image, the instruction and the layer."""

WORDS = ("a", "man", "dog", "street", "white", "plate", "on", "the", "two", "people", "near", "red")


class States:
    """States of all models for some images."""

    def __init__(self, ids: NDArray[np.int64], width: int, seed: int) -> None:
        self.ids = np.unique(ids)
        self._width, self._seed = width, seed

    def layer(self, model: str, instruction: str, place: int) -> NDArray[np.float32]:
        """Return the states of a layer, [image, feature], by its place among the stored ones."""
        latent = SHARES["image"] * self._of_images
        latent = latent + SHARES["instruction"] * self._latent("instruction", model, instruction)
        latent += SHARES["layer"] * self._latent("layer", model, instruction, place)
        random = stream(self._seed, "weights", model, place)
        rank = np.arange(1, latent.shape[1] + 1, dtype=np.float32)
        weights = random.standard_normal((latent.shape[1], self._width), np.float32)
        weights *= (rank**DECAY / np.sqrt((rank ** (2 * DECAY)).sum()))[:, None]
        found: NDArray[np.float32] = latent @ weights
        own = stream(self._seed, "noise", model, instruction, place)
        found += NOISE * own.standard_normal(found.shape, np.float32)
        large = random.choice(self._width, OUTLIERS, replace=False)
        found[:, large] = LARGER * (found[:, large] + random.choice([-1, 1], OUTLIERS))
        return found

    def answers(self, model: str, instruction: str) -> list[str]:
        """Return an answer of a few words to each image."""
        random = stream(self._seed, "answers", model, instruction)
        counts = random.integers(3, 12, self.ids.size)
        words = random.choice(WORDS, int(counts.sum()))
        return [" ".join(part) for part in np.split(words, np.cumsum(counts)[:-1])]

    def rows(self, ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the places of images among `ids`."""
        found: NDArray[np.intp] = np.searchsorted(self.ids, ids)
        return found

    @cached_property
    def _of_images(self) -> NDArray[np.float32]:
        return self._latent("image")

    def _latent(self, *names: str | int) -> NDArray[np.float32]:
        count = min(LATENT, self._width // 2)
        return stream(self._seed, *names).standard_normal((self.ids.size, count), np.float32)
