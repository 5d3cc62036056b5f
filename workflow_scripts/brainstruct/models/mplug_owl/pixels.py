"""From photographs to the pixels that the vision tower expects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from brainstruct.errors import InputError
from brainstruct.models import loading


@dataclass(frozen=True)
class ImageProcessor:
    """Squash to a square, scale to 0..1, normalise per channel.

    The published processor squashes an image of any shape before the step that
    would crop it, so what the file says of cropping has no effect.

    Attributes
    ----------
    size : int
        Rows and columns of the result.
    mean, std : tuple of float
        Per channel (red, green, blue), on the scale 0..1.
    """

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def read(cls, path: Path, size: int) -> ImageProcessor:
        """Read the normalisation from a ``preprocessor_config.json``.

        Parameters
        ----------
        path : path
            The file.
        size : int
            The vision tower's image size, with which the file must agree.

        Raises
        ------
        InputError
            If the file is missing, damaged, or asks for another processing.
        """
        loading.require_files(path.parent, path.name)
        cure = loading.fetch_cure(path.parent)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            mean, std = (tuple(map(float, content[key])) for key in ("image_mean", "image_std"))
            stated = _stated_size(content.get("size", size))
            resample = int(content.get("resample", Image.Resampling.BICUBIC))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(path, f"is no image processing file ({error!r})", cure) from error
        if stated != {size}:
            fault = f"states the size {sorted(stated)}, but the vision tower takes {size} pixels"
            raise InputError(path, fault, cure)
        if resample != Image.Resampling.BICUBIC:
            raise InputError(path, f"asks for resampling {resample}, not 3 (bicubic)", cure)
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            fault = f"needs three means and three positive deviations, has {mean} and {std}"
            raise InputError(path, fault, cure)
        return cls(size, mean, std)

    def __call__(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """Process images.

        Returns
        -------
        torch.Tensor
            [image, channel, row, column], float32.
        """
        squashed = np.stack(
            [
                np.asarray(
                    image.convert("RGB").resize((self.size, self.size), Image.Resampling.BICUBIC)
                )
                for image in images
            ]
        )
        scaled = squashed.astype(np.float32) / np.float32(255)
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        normed = (scaled - mean) / std
        return torch.from_numpy(np.ascontiguousarray(normed.transpose(0, 3, 1, 2)))


def _stated_size(entry: Any) -> set[int]:
    """Return the lengths in a size entry: a number, or a mapping from edge names to numbers."""
    return {int(length) for length in (entry.values() if isinstance(entry, dict) else [entry])}
