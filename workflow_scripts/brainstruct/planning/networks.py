"""Sizes of the networks: published ones, or those of a checkpoint that is on disk."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brainstruct.config.models import Model
from brainstruct.config.study import Study
from brainstruct.errors import InputError
from brainstruct.models.declared import packed_bits, stated_part
from brainstruct.models.registry import FAMILIES, IMAGES
from brainstruct.store.files import read_json
from brainstruct.store.resources import table_beside
from brainstruct.workflow.rooms import Rooms


@dataclass(frozen=True)
class Network:
    """What the cost of a network follows from: each token or patch goes through its parameters."""

    width: int  # of hidden states
    language_parameters: float
    vision_parameters: float
    patches: int  # tokens of the vision encoder, per image
    image_tokens: int  # of the language model
    download_bytes: float  # weights on the hub
    bits: int = 16  # of a parameter, in memory

    @property
    def parameters(self) -> float:
        """All parameters."""
        return self.language_parameters + self.vision_parameters

    @property
    def held_bytes(self) -> float:
        """What its weights take in memory."""
        return self.parameters * self.bits / 8


_TABLE = table_beside(__file__, "networks.toml")

_PUBLISHED = {family: Network(**sizes) for family, sizes in _TABLE["published"].items()}
"""Family -> the checkpoint that the paper's study uses of it."""

_TINY_WIDTH = 64
"""Width of tiny checkpoints whose configuration gives none; 32 where there are no instructions."""

_BILLIONS = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)([BM])(?![a-z])", re.IGNORECASE)
"""Parameters, as names of repositories have it: Qwen2.5-VL-7B-Instruct, SmolVLM-256M."""

_USUAL_BLOCKS = 32  # of the usual network of `auto`


def network_of(study: Study, model: Model) -> Network:
    """Return the sizes of a model, its weights packed if the study or the checkpoint has it so."""
    folder = Path(Rooms.of(study).models.checkpoint_folder(model.checkpoint))
    whole = 32 if Rooms.of(study).models.precision == "float32" else 16
    bits = int((model.weights or "0")[0]) or packed_bits(_read(folder / "config.json")) or whole
    return replace(_sizes_of(study, model, folder), bits=bits)


def _sizes_of(study: Study, model: Model, folder: Path) -> Network:
    """Return the sizes of a model.

    A ``config.json`` of its checkpoint decides if it is there; then sizes of a
    tiny checkpoint that the study builds; then the published ones. Where a family runs
    any checkpoint, the name of the repository tells how large it is.
    """
    usual = _PUBLISHED[model.family]
    source = study.checkpoints[model.checkpoint]
    if stated := _stated(folder, model.family, usual):
        return stated
    tiny = study.synthetic.checkpoints.get(model.checkpoint) if study.synthetic else None
    if tiny is not None:
        default = _TINY_WIDTH if model.follows_instructions else _TINY_WIDTH // 2
        return _scaled(usual, tiny.sizes.get("width", default))
    named = None if FAMILIES[model.family].model_type else _BILLIONS.search(source.hub or "")
    if named is None:
        return usual
    # As wide as so many parameters make so many blocks.
    parameters = float(named[1]) * (1e9 if named[2] in "bB" else 1e6)
    wider = parameters / usual.parameters * _USUAL_BLOCKS / model.n_layers
    return _scaled(usual, round(usual.width * wider**0.5), parameters)


def _stated(folder: Path, family: str, usual: Network) -> Network | None:
    """Return what the files of a checkpoint say, and the usual where they are silent.

    `None` if they do not say how wide its states are.
    """
    content = _read(folder / "config.json")
    own, part = _numbers(content), _numbers(stated_part(content, family))
    if "hidden_size" not in part:
        return None
    found, sees = _scaled(usual, part["hidden_size"]), _numbers(content.get("vision_config"))
    if FAMILIES[family].model_type or FAMILIES[family].modality == "image":
        return found
    patch = sees.get("patch_size", 14)
    patches = (sees.get("image_size", 0) // patch or round(usual.patches**0.5 * 14 / patch)) ** 2
    merged = _named("merged", {**sees, **own}, 1)
    tokens = _named("image_tokens", own, patches // merged**2)
    images = _read(folder / IMAGES[0])
    whole, tile = (
        _numbers(images.get(name)).get("longest_edge", 1) for name in ("size", "max_image_size")
    )
    # Some cut an image into pictures, and look at the whole besides.
    pictures = (whole // tile) ** 2 + 1 if images.get("do_image_splitting") else 1
    counted = replace(
        found,
        language_parameters=_decoder(part) or found.language_parameters,
        vision_parameters=_encoder(sees) or found.vision_parameters,
        patches=patches * pictures,
        image_tokens=tokens * pictures,
    )
    index = _numbers(_read(folder / "model.safetensors.index.json").get("metadata"))
    return replace(counted, download_bytes=index.get("total_size", 2 * counted.parameters))


def _decoder(part: Mapping[str, int]) -> float:
    """Count the parameters of blocks as LLaMA has them, and of embeddings; 0 if it cannot."""
    if not {"num_hidden_layers", "num_attention_heads", "intermediate_size"} <= part.keys():
        return 0.0
    width, heads = part["hidden_size"], part["num_attention_heads"]
    size, groups = part.get("head_dim", width // heads), part.get("num_key_value_heads", heads)
    experts = _named("experts", part, 0)
    inner = experts * part.get("moe_intermediate_size", 0) or part["intermediate_size"]
    embeddings = part.get("vocab_size", 0) * (1 if "tie_word_embeddings" in part else 2)
    block = 2 * size * (heads + groups) + 3 * inner
    return float(width * (part["num_hidden_layers"] * block + embeddings))


def _encoder(part: Mapping[str, int]) -> float:
    """Count the parameters of a ViT's blocks: twelve squares each; 0 if it cannot."""
    width = part.get("embed_dim", part.get("hidden_size", 0))
    return 12.0 * part.get("num_hidden_layers", part.get("depth", 0)) * width**2


def _named(what: str, part: Mapping[str, int], usual: int) -> int:
    """Return a number that configurations have under one of several names."""
    return next((part[name] for name in _TABLE["names"][what] if name in part), usual)


def _numbers(part: Any) -> dict[str, int]:
    """Return the positive numbers of a block, and what is true in it; of pairs the first."""
    stated = part.items() if isinstance(part, dict) else ()
    ones = {
        name: value[0] if isinstance(value, list) and value else value for name, value in stated
    }
    return {name: one for name, one in ones.items() if isinstance(one, int) and one > 0}


def _read(path: Path) -> dict[str, Any]:
    """Read a file of a checkpoint; whether it is damaged is for the doctor to say."""
    content: dict[str, Any] = {}
    with suppress(InputError):
        content = read_json(path, cure="")
    return content


def _scaled(published: Network, width: int, parameters: float | None = None) -> Network:
    """Scale a network to another width: parameters grow with its square, if not to so many."""
    ratio = parameters / published.parameters if parameters else (width / published.width) ** 2
    return replace(
        published,
        width=width,
        language_parameters=published.language_parameters * ratio,
        vision_parameters=published.vision_parameters * ratio,
        download_bytes=published.download_bytes * ratio,
    )
