"""What ``config.json`` states of a network: much more, or much less, than today's library writes.

The library fills in what is not stated, and has to know what it no longer states itself.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainstruct.models.tiny.tokenizer_files import stated, write_settings
from brainstruct.store.files import read_json

DERIVED = ("head_dim", "num_key_value_heads", "rope_parameters", "mlp_bias")
"""What configurations of 2023 did not state of a LLaMA."""


def without_defaults(part: Any) -> dict[str, Any]:
    """Return a part as of late 2023: what the library would not choose itself."""
    usual = type(part)().to_dict()
    return {
        name: value
        for name, value in part.to_dict().items()
        if name not in (*DERIVED, "architectures", "dtype", "transformers_version")
        and (name == "model_type" or value != usual.get(name))
    }


def in_full(part: Any) -> dict[str, Any]:
    """Return a part as of 2022 and early 2023: everything, with what all models had.

    Of generation, too.
    """
    own = {name: value for name, value in part.to_dict().items() if name not in DERIVED}
    return stated("of_every_model.json") | own | {"torch_dtype": None}


def restate(folder: Path, **changes: Any) -> None:
    """Give the ``config.json`` of a folder the older name of the type of its weights, and more.

    What is to be `None` is left out.
    """
    path = folder / "config.json"
    content: Mapping[str, Any] = read_json(path, "Build it again")
    named = {"torch_dtype" if name == "dtype" else name: one for name, one in content.items()}
    known = {name: one for name, one in (named | changes).items() if one is not None}
    write_settings(dict(sorted(known.items())), path)
