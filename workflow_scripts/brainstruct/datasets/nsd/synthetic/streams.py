"""Independent random streams from one seed."""

import zlib

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of a named part of the data set.

    Parts are independent: more subjects, sessions or images leave the others as they are.
    """
    keys = [name if isinstance(name, int) else zlib.crc32(name.encode()) for name in names]
    return np.random.default_rng([seed, *keys])
