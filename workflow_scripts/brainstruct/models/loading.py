"""Loads networks and refuses, with one clear message, those that cannot work.

Everything is read from one folder on disk, in the layout of the Hugging Face
hub; nothing is ever fetched, and no code of a checkpoint is ever run.
"""

import logging
import re
from collections.abc import Collection, Mapping
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from transformers import BitsAndBytesConfig
from transformers.initialization import no_init_weights

from brainstruct.errors import InputError
from brainstruct.models.declared import packed_bits
from brainstruct.models.decoding import clean_generation
from brainstruct.models.files import fetch_cure, inspect_weights
from brainstruct.models.interface import ModelOptions
from brainstruct.models.pooling import last_state
from brainstruct.models.processing import quiet_transformers
from brainstruct.models.random_init import initialise
from brainstruct.models.response import Listener
from brainstruct.models.tokens import generation_settings
from brainstruct.store.faults import reading, refusal
from brainstruct.store.files import read_json

log = logging.getLogger(__name__)

_DERIVED = r"(rotary_emb\.inv_freq|\.position_ids|\.masked_bias)$"
"""Tensors that follow from the dimensions; old checkpoints store them nevertheless."""

_QUESTION = "What is in this image?"

_ROUNDING = 1e-3
"""Largest relative difference of states that are the same."""

_IMAGE_EFFECT = 1e-4
"""Smallest relative difference of states that counts as seeing the image: far
above rounding (1e-6 in float32; in bfloat16 identical inputs give identical
rows), far below what any working model shows (above 1e-2)."""


def load_network(
    network_class: Any,
    config: Any,
    options: ModelOptions,
    *,
    place: str | None = None,
    **arguments: Any,
) -> Any:
    """Return an instance of a network class with its weights, ready for inference.

    Each weight is read once, straight into its place and type, so memory peaks little above the
    size of the model. Pickled weights are read with PyTorch's restricted unpickler, which builds
    tensors and refuses everything else. A network that has a `place` is a part of what the
    checkpoint holds, besides heads and other towers, under that name or (empty) none; `arguments`
    are for the class itself. An `InputError` if the number of hidden states is another, or the
    weights are missing, damaged or unsafe, or their names and shapes are not those of the network.
    """
    stated = config if hasattr(config, "num_hidden_layers") else config.get_text_config()
    found = stated.num_hidden_layers + 1
    if options.n_layers not in (None, found):
        raise InputError(
            options.checkpoint / "config.json",
            f"the model has {found} hidden states (token embeddings included), "
            f"the configuration says n_layers: {options.n_layers}",
            f"Set n_layers: {found} for this model, or name the right checkpoint",
        )
    content = read_json(options.checkpoint / "config.json", fetch_cure(options.checkpoint))
    device, dtype = options.placement()
    arguments = {"dtype": dtype, "attn_implementation": "sdpa", **arguments}
    with quiet_transformers():
        empty = empty_network(network_class, config, options.checkpoint, **arguments)
        if options.empty:
            return empty
        spread = _packing(config, options, content) | _spread(device)
        if options.random_seed is None:
            _require_filled(empty, options.checkpoint, packed_bits(content) or 8)
            arguments |= spread
            network = _read_weights(network_class, config, options.checkpoint, place, arguments)
        else:
            with no_init_weights():
                network = network_class._from_config(config, **arguments)
            network.tie_weights()
            initialise(network, options.random_seed)
            network = _laid_out(network, spread) if spread else network
    clean_generation(network)
    return (network if spread else network.to(device)).eval().requires_grad_(False)


def _spread(device: torch.device) -> dict[str, Any]:
    """Return what lets the library lay weights over several GPUs; refuse where it cannot."""
    if device.type != "cuda" or torch.cuda.device_count() < 2:
        return {}
    if find_spec("accelerate") is None:
        raise InputError(
            "models[].gpus",
            "asks for several GPUs, and the package accelerate, which spreads weights, is missing",
            "Install it (pip install accelerate), or take one GPU that holds the model",
        )
    return {"device_map": "auto"}


def _packing(config: Any, options: ModelOptions, stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return what lets the library pack weights, or read packed ones; refuse where it cannot."""
    packed = packed_bits(stated)
    if packed is None and options.weights is None:
        return {}
    device, dtype = options.placement()
    lacks = not all(map(find_spec, ("accelerate", "bitsandbytes")))
    faults = {
        "are packed already: leave models[].weights out": packed and options.weights,
        "are read, not drawn: random ones are whole": options.random_seed is not None,
        "need accelerate and bitsandbytes (pip install them in the environment embed)": lacks,
        "need a GPU, which this job does not see": device.type != "cuda",
    }
    if fault := next((said for said, true in faults.items() if true), None):
        cure = "Else take whole weights, by models[].weights or of another checkpoint"
        raise InputError(options.checkpoint, f"weights in 4 or 8 bits {fault}", cure)
    place = {"device_map": {"": torch.cuda.current_device()}}
    computing = {"bnb_4bit_compute_dtype": dtype}
    if packed:  # the library believes what the checkpoint says of itself
        config.quantization_config = stated["quantization_config"] | computing
        return place
    how = {f"load_in_{options.weights}": True, "bnb_4bit_quant_type": "nf4", **computing}
    return place | {"quantization_config": BitsAndBytesConfig(**how)}  # type: ignore


def _laid_out(network: Any, spread: Mapping[str, Any]) -> Any:
    """Lay weights that were drawn over several devices, as the library does what it reads."""
    from accelerate import dispatch_model, infer_auto_device_map

    places = spread["device_map"]
    if places == "auto":
        whole = sorted(network._no_split_modules)
        places = infer_auto_device_map(network, no_split_module_classes=whole)
    return dispatch_model(network, places, offload_dir=spread.get("offload_folder"))


def empty_network(network_class: Any, config: Any, folder: Path, **arguments: Any) -> Any:
    """Build a network of a checkpoint without its numbers."""
    what, cure = "configuration that the library can build a network from", fetch_cure(folder)
    with reading(folder / "config.json", what, cure), torch.device("meta"), no_init_weights():
        return network_class._from_config(config, **arguments)


def _require_filled(network: Any, folder: Path, bits: int) -> None:
    """Refuse a network that the weights cannot fill."""
    n_numbers = sum(parameter.numel() for parameter in network.parameters())
    held = inspect_weights(folder)
    if n_numbers * bits > 8 * held:  # so many each, at least
        fault = f"describes a network of {n_numbers:.3g} parameters, its weights have {held:.3g}"
        raise InputError(folder / "config.json", f"{fault} bytes", fetch_cure(folder))


def _read_weights(
    network_class: Any,
    config: Any,
    folder: Path,
    place: str | None,
    arguments: Mapping[str, Any],
) -> Any:
    """Read the weights of a checkpoint, all of them and no others."""
    generation_settings(folder)  # the library reads it, too, and would blame the weights
    cure = fetch_cure(folder)
    try:
        network, report = network_class.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            weights_only=True,
            ignore_mismatched_sizes=True,  # so that they are named below instead of raised
            output_loading_info=True,
            key_mapping={rf"^(model\.)?{place}\.": ""} if place else None,
            **arguments,
        )
    except UnpicklingError as error:
        raise InputError(
            folder,
            "its pickled weights are damaged or hold more than tensors, which is unsafe",
            cure,
        ) from error
    except (SafetensorError, OSError, EOFError, ImportError, RuntimeError, ValueError) as error:
        raise refusal(folder, error, "checkpoint whose weights can be read", cure) from error
    parameters = {name for name, _ in network.named_parameters()}
    # Weights that are not in the files would be drawn at random with a mere warning.
    missing = parameters & set(report["missing_keys"])
    unknown = [name for name in report["unexpected_keys"] if not re.search(_DERIVED, name)]
    if place is not None:
        own, prefix = dict(network.named_children()), f"{network.base_model_prefix}."
        unknown = [name for name in unknown if name.removeprefix(prefix).split(".")[0] in own]
    # Packed ones are not among them: the library cannot compare; one that is wrong fits no pass.
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
    """Name the first few."""
    shown = ", ".join(sorted(names)[:n_shown])
    return shown if len(names) <= n_shown else f"{shown}, .."


def require_effect(model: Any) -> None:
    """Refuse a model whose states do not depend on what it is shown.

    Gates or query tokens that are zero, as library initialisations leave them,
    make a model blind without any error; so do prompts that lost their image.
    """
    if model.options.empty:
        return
    rows = np.linspace(0, 255, 64, dtype=np.uint8)
    ramp = np.stack(np.broadcast_arrays(rows[:, None], rows[None, :], rows[::-1, None]), axis=-1)
    images = [Image.fromarray(picture) for picture in (ramp, 255 - ramp.transpose(1, 0, 2))]
    texts = [_QUESTION, _QUESTION if model.modality != "text" else "A red dog sleeps."]
    first, second = model.embed(images, texts, stimuli=[0, 0]).states
    if not (first.isfinite().all() and second.isfinite().all()):
        raise InputError(
            model.options.checkpoint,
            f"its states are not finite in {str(model.dtype).removeprefix('torch.')}",
            "Set embedding.dtype: float32, or bfloat16 on a GPU that has it; if that does not "
            "help, its weights are damaged",
        )
    size = first.norm(dim=1).clamp_min(torch.finfo(first.dtype).tiny)  # of no states: 0, not NaN
    effect = float(((first - second).norm(dim=1) / size).max())
    log.info("two different stimuli change the states by %.2g (relative)", effect)
    if not effect > _IMAGE_EFFECT:
        raise InputError(
            model.options.checkpoint,
            f"the model is blind: two different stimuli change its states by {effect:.1g} "
            "(relative)",
            "Check that its weights are those of a trained model",
        )


def require_sound(model: Any) -> None:
    """Refuse a model that is blind, or that is not heard as the library has it.

    Of one image and the first tokens of an answer: the blocks' states must be those that the
    library keeps of the same pass, and the tokens those that the network chose.
    """
    require_effect(model)
    if model.options.empty:
        return
    picture = Image.linear_gradient("L").resize((64, 64)).convert("RGB")
    inputs = model.on_device(model.prepare([picture], [_QUESTION]))
    given = inputs["attention_mask"], model.decoding, inputs["input_ids"]
    listener = Listener(model.body, last_state, *given)
    settings = model.decoding.greedy_config(n_tokens=3)
    settings.output_hidden_states = settings.output_scores = True
    settings.return_dict_in_generate = True
    with torch.inference_mode(), listener.listening():
        told = model.generate(inputs, generation_config=settings)
    # The first may have been through cross-attention (IDEFICS).
    said = torch.stack([states[:, -1].float().cpu() for states in told.hidden_states[0][1:]])
    heard, fault = listener.prompt[1:].cpu(), None
    answer = told.sequences[:, -listener.steps :].tolist()
    chosen = torch.stack([scores.argmax(-1) for scores in told.scores], dim=1).tolist()
    if len(said) != len(heard) or (said - heard).norm() > _ROUNDING * said.norm():
        fault = f"its {len(heard)} blocks give other states than the library's {len(said)}"
    elif answer != chosen:
        fault = f"its answer begins {answer[0]}, the network chose {chosen[0]}"
    if fault:
        raise InputError(model.options.checkpoint, fault, "Name another checkpoint for this model")
