"""Small files of checkpoints as the hub serves them, in the fashions of different years.

Tokenizers have a ``tokenizer.json``, and a ``tokenizer_config.json`` that names the special tokens.
What becomes of an image is said in three layouts. ``config.json`` states much more of a network, or
much less, than today's library writes: it fills in what is not stated, and has to know what it no
longer states itself. What depends on no sizes and no tokenizers stands in JSON beside this module.
"""

import json
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from brainstruct.store.files import read_json

IMAGES, PROCESSOR = "preprocessor_config.json", "processor_config.json"

LATER = ("do_convert_rgb", "do_rescale", "image_processor_type", "rescale_factor")
"""What processors of 2022 did not state."""

DERIVED = ("head_dim", "num_key_value_heads", "rope_parameters", "mlp_bias")
"""What configurations of 2023 did not state of a LLaMA."""


def stated(name: str) -> dict[str, dict[str, Any]]:
    """Return what the small files of a kind of checkpoint state, from a file of data beside this.

    By file; ``added_tokens_decoder`` is left to `write_tokenizer`.
    """
    content: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name(name).read_bytes())
    return content


def write_tokenizer(
    tokenizer: Tokenizer, folder: Path, config: Mapping[str, object], *, merges: type = str
) -> None:
    """Write a tokenizer and its configuration into a folder.

    Merges are texts with a blank between two pieces, as until 2024, or lists of the two.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = json.loads(tokenizer.to_str())
    if "added_tokens_decoder" in config:  # since late 2023: the special tokens again, by their ids
        added = sorted(json.loads(tokenizer.to_str())["added_tokens"], key=itemgetter("id"))
        config = {**config, "added_tokens_decoder": {str(one.pop("id")): one for one in added}}
    if merges is str and "merges" in content["model"]:
        content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
    write_settings(content, folder / "tokenizer.json")
    write_settings(config, folder / "tokenizer_config.json")


def write_settings(content: Mapping[str, object], path: Path) -> None:
    """Write JSON in the order of its entries, as the hub's files have them."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_as_2022(processor: Any, folder: Path, kind: str) -> None:
    """Write a processor as a feature extractor of a `kind`, with numbers for squares and edges."""
    content = {name: one for name, one in processor.to_dict().items() if name not in LATER}
    for name in {"size", "crop_size"} & {*content}:
        content[name] = max(content[name].values())
    write_settings(
        dict(sorted((content | {"feature_extractor_type": kind}).items())), folder / IMAGES
    )


def write_beside(processor: Any, folder: Path, settings: Mapping[str, Any]) -> None:
    """Write one as of 2023, and the `settings` of the whole processor into their own file."""
    content = processor.to_dict() | {"processor_class": settings["processor_class"]}
    write_settings(dict(sorted(content.items())), folder / IMAGES)
    if len(settings) > 1:
        write_settings(settings, folder / PROCESSOR)


def write_inside(processor: Any, folder: Path, settings: Mapping[str, Any]) -> None:
    """Write one as version 5 of transformers does: among the `settings` of the whole processor."""
    write_settings({"image_processor": processor.to_dict(), **settings}, folder / PROCESSOR)


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
