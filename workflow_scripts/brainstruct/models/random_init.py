"""The random baseline: the architecture of a model with weights drawn from a seed.

Library initialisations are made for fine-tuning and leave multimodal models blind: the gates of
IDEFICS start at zero, so that no image reaches the text, and all query tokens of InstructBLIP are
zero, so that they stay alike. A baseline that cannot see says nothing about what training adds to
an architecture. Therefore every parameter is drawn here, by one rule for all models, which
docs/models.md states. 0.02 is the standard deviation of GPT-2, LLaMA, ViT and their kin.
"""

import hashlib

import torch
from torch import nn

STANDARD_DEVIATION = 0.02

_GATES = ("alpha_cross_attn", "alpha_dense")


def initialise(network: nn.Module, seed: int) -> None:
    """Draw all parameters of a network, in place.

    Each parameter has a generator of its own, seeded from `seed` and its name, and is drawn on the
    CPU in float32: the values depend neither on the order of parameters nor on device or precision
    (beyond rounding). Buffers are left alone.
    """
    norms = {
        id(parameter)
        for module in network.modules()
        if is_norm(module)
        for parameter in module.parameters(recurse=False)
    }
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            leaf = name.rpartition(".")[2]
            if leaf == "bias" or leaf.endswith("_bias"):
                parameter.zero_()
            elif leaf in _GATES or id(parameter) in norms:
                parameter.fill_(1.0)
            else:
                parameter.copy_(draw(name, parameter.shape, seed) * STANDARD_DEVIATION)


def is_norm(module: nn.Module) -> bool:
    """Say whether a module normalises: a layer norm, or one named so, such as ``LlamaRMSNorm``."""
    # A subclass may have any name (LayerNorm32); norms of the library may have any base.
    return isinstance(module, nn.LayerNorm) or type(module).__name__.endswith("Norm")


def draw(name: str, shape: torch.Size, seed: int) -> torch.Tensor:
    """Return standard normal numbers that depend on the seed, a name and the shape alone."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little", signed=True))
    return torch.randn(shape, generator=generator, dtype=torch.float32)
