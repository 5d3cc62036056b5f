"""What every model family offers to the rest of the workflow.

A family is one module with one subclass of `FeatureModel` (of
`brainstruct.models.responding.RespondingModel` if it answers instructions), plus one entry in
``families.toml`` beside this. A model turns a batch of stimuli into one vector per layer and
stimulus; it knows nothing of brains, files of results or jobs.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeAlias

import torch
from PIL import Image

from brainstruct.errors import InputError
from brainstruct.models.registry import Modality
from brainstruct.store.cuda import lack_of_code

Pooling: TypeAlias = Literal["response_mean", "last_prompt_token", "prompt_mean"]

Device: TypeAlias = Literal["auto", "cuda", "cpu"]

Precision: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]

Batch: TypeAlias = dict[str, torch.Tensor]
"""Model inputs on the CPU; the first dimension of every tensor is the stimulus,
so that a batch can be cut in two when memory runs out."""

STIMULUS = "stimulus"
"""Optional entry of a `Batch`, [stimulus], int64: what tells stimuli apart (their
ids). Needed where responses are sampled, for each draws numbers of its own."""

_FIRST_WITH_BFLOAT16 = (8, 0)
"""Compute capability of the first GPUs with arithmetic in bfloat16 (Ampere)."""


@dataclass(frozen=True)
class Sampling:
    """How the tokens of a response are drawn, where greedy decoding is not wanted.

    Results depend on the seed, the stimulus and the prompt, not on the batch.
    """

    seed: int = 0
    temperature: float = 1.0  # divides the logits
    top_k: int | None = None  # so many likeliest tokens; `None`: all
    top_p: float = 1.0  # the smallest set of tokens that holds this share of the probability


LATER = ("thinking_tokens", "thinking_pooled", "weights")
"""Settings that identities name only where they are set: states are older than they are."""


@dataclass(frozen=True, kw_only=True)
class Deciding:
    """What decides the states of a checkpoint, besides the family that runs it."""

    random_seed: int | None = None  # of weights drawn instead of read (the random baseline)
    prompt: str | None = None  # with {image} and {instruction}; `None`: the model's own
    chat: Mapping[str, Any] = field(default_factory=dict)  # arguments of its chat template
    pooling: Pooling = "response_mean"
    max_new_tokens: int = 32
    sampling: Sampling | None = None  # `None` takes the likeliest token (greedy)
    thinking_tokens: int = 0  # at most, begin and end included; 0: it is not let think
    thinking_pooled: bool = False  # whether their states count as those of the answer
    dtype: Precision = "auto"  # see `usual_precision`
    weights: Literal["4bit", "8bit"] | None = None  # packed when read; `None`: as stored

    @property
    def later(self) -> dict[str, object]:
        """Settings of `LATER` that are set: who has none depends on what it always did."""
        return {name: value for name in LATER if (value := getattr(self, name))}


@dataclass(frozen=True)
class ModelOptions(Deciding):
    """How a checkpoint, a folder with weights, tokenizer and processor, is loaded and run."""

    checkpoint: Path
    n_layers: int | None  # hidden states that it must have, token embeddings included
    device: Device = "auto"  # CUDA if visible; or "cuda", "cpu"
    empty: bool = False  # build it without weights: it writes prompts, and embeds nothing

    def placement(self) -> tuple[torch.device, torch.dtype]:
        """Return where the model runs, and in which precision.

        An `InputError` if CUDA is asked for and there is none, or PyTorch holds no code for the
        GPU.
        """
        if self.empty:
            return torch.device("meta"), torch.bfloat16
        cuda = torch.cuda.is_available()
        if self.device == "cuda" and not cuda:
            raise InputError(
                "embedding.device",
                "is 'cuda', but this job sees no CUDA device",
                "Run it on a node with a GPU (resources: gpu), or set embedding.device: cpu",
            )
        device = torch.device("cuda" if cuda and self.device != "cpu" else "cpu")
        if device.type == "cuda":
            _require_code()
        usual = self.dtype == "auto"
        return device, usual_precision(device) if usual else getattr(torch, self.dtype)


def usual_precision(device: torch.device) -> torch.dtype:
    """Return the precision that ``dtype: auto`` means on a device."""
    if device.type == "cpu":
        return torch.float32
    # AMD's capabilities are numbers of another kind, and its GPUs that PyTorch runs on have it.
    if torch.version.hip or torch.cuda.get_device_capability() >= _FIRST_WITH_BFLOAT16:
        return torch.bfloat16
    # Before, bfloat16 is emulated: slower than float32. float16 it is, because the checkpoints
    # were published in it, it rounds eight times finer than bfloat16, and their weights fit
    # into GPUs of that age (16 to 32 GB), as those in float32 (28 GB and more) do not. What it
    # cannot hold, above 65,504, does not pass in silence: no state is stored that is not finite.
    return torch.float16


def _require_code() -> None:
    """Refuse a GPU that PyTorch has no code for: its first kernel would fail, after loading."""
    found = torch.cuda.get_device_capability()
    if lacking := lack_of_code(torch.cuda.get_device_name(), found, torch.cuda.get_arch_list()):
        raise InputError("embedding.device", *lacking)


@dataclass(frozen=True)
class Features:
    """What a model says of one batch of stimuli.

    Tokens averaged are those of the response, the prompt or the caption, or patches; 0
    marks an empty response, whose state is that of the last prompt position.
    """

    states: torch.Tensor  # [stimulus, layer, feature], float32, on the CPU
    responses: list[str]  # empty strings of models that do not respond
    n_tokens: torch.Tensor  # [stimulus], int64: tokens averaged
    truncated: torch.Tensor  # [stimulus], bool: cut at `ModelOptions.max_new_tokens`
    thinking_share: torch.Tensor | None = None  # [stimulus], float32: of a response's tokens


class FeatureModel(ABC):
    """A loaded model, ready to embed batches.

    `body` is the part of the network whose blocks are the layers; its configuration has
    ``num_hidden_layers`` and ``hidden_size``. `n_layers` and `feature_dim` are the lengths
    of what `forward` returns; `device` and `dtype` are the weights'.
    """

    modality: ClassVar[Modality]
    """What `prepare` reads."""

    image_backend: str = "pil"
    """What resizes the images that it reads; others give other pixels."""

    def __init__(self, options: ModelOptions, network: Any, body: Any) -> None:
        self.options = options
        self.network = network
        self.n_layers: int = body.config.num_hidden_layers + 1
        self.feature_dim: int = body.config.hidden_size
        self.device, self.dtype = options.placement()

    @classmethod
    @abstractmethod
    def load(cls, options: ModelOptions) -> Self:
        """Read the checkpoint and check it.

        An `InputError` if the checkpoint is missing, incomplete, of another family, or has not
        `ModelOptions.n_layers` hidden states.
        """

    def prompt(self, instruction: str) -> str:
        """Return the text that a model is given for an instruction, the image's place in it."""
        return instruction

    @abstractmethod
    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:
        """Turn stimuli into model inputs, on the CPU.

        Touches no weights, so that the next batch can be prepared by a thread while the model works
        on this one. Images are RGB; models of text read none, models of ``image`` no texts. Where
        `modality` is ``image+instruction``, texts are the instruction, the same for the whole
        batch: mixed prompts would need padding that changes states.
        """

    @abstractmethod
    def forward(self, batch: Batch) -> Features:
        """Embed what `prepare` returned, or a slice of it along the first dimension."""

    def forward_all(self, batches: Sequence[Batch]) -> list[Features]:
        """Embed batches of the same stimuli that differ in their instructions."""
        return [self.forward(batch) for batch in batches]

    def embed(
        self,
        images: Sequence[Image.Image],
        texts: Sequence[str],
        stimuli: Sequence[int] | None = None,
    ) -> Features:
        """Prepare and embed one batch; `stimuli` tell apart what it holds, see `STIMULUS`."""
        batch = self.prepare(images, texts)
        if stimuli is not None:
            batch[STIMULUS] = torch.tensor(stimuli, dtype=torch.int64)
        return self.forward(batch)

    def on_device(self, batch: Batch) -> Batch:
        """Move a batch to the model, floating-point inputs in the model's precision.

        From pinned memory the copy does not wait for the device.
        """
        return {
            name: values.to(
                self.device, self.dtype if values.is_floating_point() else None, non_blocking=True
            )
            for name, values in batch.items()
        }
