"""Builds complete tiny checkpoints in the layouts that the hub serves.

They have random weights and nothing to say, but go through the same code as the
real ones, from the tokenizer to the last layer.

Each kind has a module with a function ``build(folder, seed, **sizes)``, which
writes a checkpoint into an empty folder. Sizes that most have: ``n_blocks`` of the
language model (or the image tower), which has one hidden state more, and
``width``, its features per token. Defaults are those of the real model's depth.
"""

import inspect
import os
from importlib import import_module

from brainstruct.errors import InputError
from brainstruct.models.builders import BUILDERS
from brainstruct.models.processing import quiet_transformers
from brainstruct.store.publishing import publish_folder


def build(kind: str, folder: str | os.PathLike[str], seed: int = 0, **sizes: int) -> None:
    """Build a tiny checkpoint; the folder appears whole or not at all, and replaces an old one.

    The same arguments give the same bytes; for `sizes` see the builder of the kind. An `InputError`
    if there is no such kind or it has no such size.
    """
    if kind not in BUILDERS:
        raise InputError(
            "synthetic.checkpoints", f"unknown kind '{kind}'", f"Use one of {', '.join(BUILDERS)}"
        )
    builder = import_module(BUILDERS[kind]).build
    known = list(inspect.signature(builder).parameters)[2:]
    unknown = sorted(set(sizes) - set(known))
    if unknown:
        raise InputError(
            "synthetic.checkpoints",
            f"a tiny {kind} has no size {', '.join(unknown)}",
            f"Use {', '.join(known)}",
        )
    with publish_folder(folder) as draft, quiet_transformers():
        builder(draft, seed, **sizes)
