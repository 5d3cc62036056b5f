"""The ``synthetic`` block: a data set and checkpoints that the workflow writes itself."""

from typing import Annotated

from brainstruct.datasets.nsd.synthetic.settings import Written
from brainstruct.models.builders import BUILDERS
from brainstruct.settings.base import Block, Key
from brainstruct.settings.suggest import one_of


class TinyCheckpoint(Block):
    """A tiny checkpoint with random weights, in the layout of the real ones.

    Attributes
    ----------
    kind : str
        Which builder makes it.
    seed : int
        Seed of its weights.
    sizes : mapping
        Sizes handed to the builder (for instance ``n_blocks``, ``width``).
    """

    kind: Annotated[str, one_of("kind", BUILDERS)]
    seed: int = 0
    sizes: dict[str, int] = {}


class Synthetic(Written):
    """A study whose truth is known: a data set and checkpoints.

    Attributes
    ----------
    checkpoints : mapping
        Tiny checkpoints to build, by name.
    """

    checkpoints: dict[Key, TinyCheckpoint] = {}
