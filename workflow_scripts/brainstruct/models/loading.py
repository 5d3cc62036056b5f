"""Reads checkpoints and refuses, with one clear message, those that cannot work.

Everything is read from one folder on disk, in the layout of the Hugging Face
hub; nothing is ever fetched, and no code of a checkpoint is ever run.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from tokenizers import Tokenizer
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.initialization import no_init_weights
from transformers.utils import logging as transformers_logging

from brainstruct.errors import InputError
from brainstruct.models.files import fetch_cure as fetch_cure
from brainstruct.models.files import read_checkpoint as read_checkpoint
from brainstruct.models.files import read_config as read_config
from brainstruct.models.files import require_files as require_files
from brainstruct.models.files import require_weights as require_weights
from brainstruct.models.interface import FeatureModel, ModelOptions
from brainstruct.models.random_init import initialise

log = logging.getLogger(__name__)

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}

_DERIVED = (r"rotary_emb\.inv_freq$", r"\.position_ids$", r"\.masked_bias$")
"""Tensors that follow from the dimensions; old checkpoints store them nevertheless."""

_SAMPLES = (
    "What is in this image?",
    "Are there any people in this image? If yes, describe them.",
    "User: a  café, 12 dogs\nAssistant:",
)

_IMAGE_EFFECT = 1e-4
"""Smallest relative difference of states that counts as seeing the image: far
above rounding (1e-6 in float32; in bfloat16 identical inputs give identical
rows), far below what any working model shows (above 1e-2)."""


def require_layers(folder: Path, found: int, options: ModelOptions) -> None:
    """Refuse a checkpoint that has not the configured number of hidden states.

    Raises
    ------
    InputError
        If the numbers differ.
    """
    if found != options.n_layers:
        raise InputError(
            folder / "config.json",
            f"the model has {found} hidden states (token embeddings included), "
            f"the configuration says n_layers: {options.n_layers}",
            f"Set n_layers: {found} for this model, or name the right checkpoint",
        )


def placement(options: ModelOptions) -> tuple[torch.device, torch.dtype]:
    """Return where a model runs, and in which precision.

    Raises
    ------
    InputError
        If CUDA is asked for and there is none, or the precision is unknown.
    """
    cuda = torch.cuda.is_available()
    if options.device == "cuda" and not cuda:
        raise InputError(
            "embedding.device",
            "is 'cuda', but this job sees no CUDA device",
            "Run it on a node with a GPU (resources: gpu), or set embedding.device: cpu",
        )
    if options.device not in ("auto", "cuda", "cpu"):
        raise InputError("embedding.device", f"is {options.device!r}", "Use one of auto, cuda, cpu")
    device = torch.device("cuda" if cuda and options.device != "cpu" else "cpu")
    if options.dtype == "auto":
        return device, torch.bfloat16 if device.type == "cuda" else torch.float32
    if options.dtype not in DTYPES:
        raise InputError(
            "embedding.dtype", f"is {options.dtype!r}", f"Use one of auto, {', '.join(DTYPES)}"
        )
    return device, DTYPES[options.dtype]


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Load ``tokenizer.json`` and prove that it is used as it stands.

    Version 5 of transformers rebuilds some tokenizers from their vocabulary
    alone; normalizer and template are then another's, and prompts change
    silently. The generic fast tokenizer does not, and that is checked.

    Raises
    ------
    InputError
        If the tokenizer is missing, damaged, or is altered on loading.
    """
    require_files(folder, "tokenizer.json")
    path = folder / "tokenizer.json"
    try:
        reference = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception, of no narrower type
        raise InputError(path, f"is damaged ({error})", fetch_cure(folder)) from error
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(
        folder, local_files_only=True
    )
    # These belong to whoever calls; the file only keeps what was set when it was saved.
    reference.no_truncation()
    reference.no_padding()
    for text in _SAMPLES:
        expected, found = reference.encode(text).ids, tokenizer(text)["input_ids"]
        if expected != found:
            raise InputError(
                path,
                f"says that {text!r} is {expected}, but it is loaded so that it gives {found}",
                "Check tokenizer_config.json beside it, or use the pinned version of transformers",
            )
    return tokenizer


def require_bos(folder: Path, tokenizer: PreTrainedTokenizerFast, ids: Iterable[int]) -> None:
    """Refuse a tokenizer that does not start a prompt with its own BOS token.

    Raises
    ------
    InputError
        If the first id is another.
    """
    first = next(iter(ids), None)
    if tokenizer.bos_token_id is None or first != tokenizer.bos_token_id:
        raise InputError(
            folder / "tokenizer.json",
            f"a prompt starts with id {first}, its BOS token {tokenizer.bos_token!r} "
            f"is {tokenizer.bos_token_id}",
            fetch_cure(folder),
        )


def token_id(folder: Path, tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    """Return the id of a token that a family cannot do without.

    Raises
    ------
    InputError
        If the vocabulary lacks it.
    """
    found = tokenizer.get_vocab().get(token)
    if found is None:
        raise InputError(
            folder / "tokenizer.json", f"its vocabulary lacks {token!r}", fetch_cure(folder)
        )
    return int(found)


def end_ids(
    folder: Path, tokenizer: PreTrainedTokenizerFast, more: Iterable[int] = ()
) -> frozenset[int]:
    """Return the tokens that end a response.

    Parameters
    ----------
    folder : pathlib.Path
        The checkpoint; ``eos_token_id`` of its ``generation_config.json`` counts, if there is one.
    tokenizer : PreTrainedTokenizerFast
        Its EOS token counts.
    more : iterable of int
        What else ends a response in this family.

    Raises
    ------
    InputError
        If ``generation_config.json`` is damaged.
    """
    found = set(more)
    if tokenizer.eos_token_id is not None:
        found.add(int(tokenizer.eos_token_id))
    stored = _generation_settings(folder).get("eos_token_id")
    ids = stored if isinstance(stored, list) else [] if stored is None else [stored]
    if not all(isinstance(token, int) for token in ids):
        raise InputError(
            folder / "generation_config.json",
            f"eos_token_id is {stored!r}, must be ids of tokens",
            fetch_cure(folder),
        )
    return frozenset(found.union(ids))


def _generation_settings(folder: Path) -> dict[str, Any]:
    """Return the content of ``generation_config.json``; nothing, if there is none.

    Raises
    ------
    InputError
        If it is damaged.
    """
    path = folder / "generation_config.json"
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(path, f"is not readable as JSON ({error})", fetch_cure(folder)) from error
    if not isinstance(content, dict):
        raise InputError(path, "holds no settings by name", fetch_cure(folder))
    return content


def load_network(
    network_class: Any,
    config: Any,
    options: ModelOptions,
    *,
    unused: Sequence[str] = (),
    **arguments: Any,
) -> Any:
    """Return a network with its weights, ready for inference.

    Each weight is read once, straight into its place and type, so memory peaks
    little above the size of the model. Pickled weights are read with PyTorch's
    restricted unpickler, which builds tensors and refuses everything else.

    Parameters
    ----------
    network_class : type
        A class of transformers, or one made like them.
    config : transformers.PreTrainedConfig
        Its configuration.
    options : ModelOptions
        The folder, the seed of random weights if there is one, device and precision.
    unused : sequence of str
        Regular expressions for names of tensors that the checkpoint may hold
        and this network has no use for (the other tower of CLIP).
    **arguments
        For the class itself.

    Returns
    -------
    transformers.PreTrainedModel
        An instance of `network_class`.

    Raises
    ------
    InputError
        If the weights are missing, damaged or unsafe, or their names and shapes
        are not those of the network.
    """
    device, dtype = placement(options)
    arguments = {"dtype": dtype, "attn_implementation": "sdpa", **arguments}
    with quiet_transformers():
        if options.random_seed is None:
            network = _read_weights(network_class, config, options.checkpoint, unused, arguments)
        else:
            with no_init_weights():
                network = network_class._from_config(config, **arguments)
            network.tie_weights()
            initialise(network, options.random_seed)
    clean_generation(network)
    return network.to(device).eval().requires_grad_(False)


def _read_weights(
    network_class: Any,
    config: Any,
    folder: Path,
    unused: Sequence[str],
    arguments: Mapping[str, Any],
) -> Any:
    require_weights(folder)
    _generation_settings(folder)  # the library reads it, too, and would blame the weights
    cure = fetch_cure(folder)
    try:
        network, report = network_class.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            weights_only=True,
            ignore_mismatched_sizes=True,  # so that they are named below instead of raised
            output_loading_info=True,
            **arguments,
        )
    except UnpicklingError as error:
        raise InputError(
            folder,
            "its pickled weights are damaged or hold more than tensors, which is unsafe",
            cure,
        ) from error
    except (SafetensorError, OSError, EOFError, RuntimeError) as error:
        raise InputError(folder, f"its weights cannot be read ({error})", cure) from error
    parameters = {name for name, _ in network.named_parameters()}
    # Weights that are not in the files would be drawn at random with a mere warning.
    missing = parameters & set(report["missing_keys"])
    expected = re.compile("|".join([*_DERIVED, *unused]))
    unknown = [name for name in report["unexpected_keys"] if not expected.search(name)]
    shapes = [
        f"{name}: {list(found)}, not {list(wanted)}"
        for name, found, wanted in report["mismatched_keys"]
    ]
    faults = [
        f"{fault.format(len(names))} ({_some(names)})"
        for fault, names in (
            (f"lack {{}} of {len(parameters)} tensors", missing),
            ("hold {} tensors that this model does not know", unknown),
            ("hold {} tensors of another shape than config.json states", shapes),
        )
        if names
    ]
    if faults:
        raise InputError(folder, f"its weights {'; '.join(faults)}", cure)
    return network


def _some(names: Collection[str], n_shown: int = 3) -> str:
    shown = ", ".join(sorted(names)[:n_shown])
    return shown if len(names) <= n_shown else f"{shown}, .."


def clean_generation(network: torch.nn.Module) -> None:
    """Empty the generation settings that a checkpoint brought along.

    They fill whatever a caller leaves open, so a checkpoint tuned for sampling
    or beam search would otherwise not decode greedily.
    """
    for module in network.modules():
        if isinstance(module, PreTrainedModel) and module.can_generate():
            module.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep progress bars and reports of transformers out of batch logs."""
    verbosity = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def require_image_effect(model: FeatureModel, folder: Path) -> None:
    """Refuse a model whose states do not depend on the image.

    Gates or query tokens that are zero, as library initialisations leave them,
    make a model blind without any error; so do prompts that lost their image.

    Raises
    ------
    InputError
        If two different images give the same states.
    """
    rows = np.linspace(0, 255, 64, dtype=np.uint8)
    ramp = np.stack(np.broadcast_arrays(rows[:, None], rows[None, :], rows[::-1, None]), axis=-1)
    images = [Image.fromarray(picture) for picture in (ramp, 255 - ramp.transpose(1, 0, 2))]
    first, second = model.embed(images, [_SAMPLES[0]] * 2, stimuli=[0, 0]).states
    effect = float(((first - second).norm(dim=1) / first.norm(dim=1)).max())
    log.info("two different images change the states by %.2g (relative)", effect)
    if not effect > _IMAGE_EFFECT:
        raise InputError(
            folder,
            f"the model is blind: two different images change its states by {effect:.1g} "
            "(relative)",
            "Check that its weights are those of a model of images and text",
        )
