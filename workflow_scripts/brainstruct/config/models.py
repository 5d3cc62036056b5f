"""Instructions, checkpoints and models: what the brain is compared with."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from brainstruct.models.registry import FAMILIES
from brainstruct.settings.base import Block, FilePath, Key, Repository, Text
from brainstruct.settings.suggest import one_of

Depth = Annotated[float, Field(ge=0, le=1)]
"""A share of a network's blocks: the layer next to it is meant."""


class Instruction(Block):
    """One instruction.

    Attributes
    ----------
    task : str
        The kind of task it belongs to, for legends.
    text : str
        What the model is told, verbatim.
    """

    task: Text
    text: Text


class Checkpoint(Block):
    """Where the weights of a model come from.

    Attributes
    ----------
    hub, revision : str or None
        Repository of the Hugging Face hub and its branch, tag or commit.
    path : str or None
        Folder on disk with the same files; wins over `hub`.
    endpoint : str or None
        Address of a mirror of the hub; `None`: ``HF_ENDPOINT``, or the hub itself.
    """

    hub: Repository | None = None
    revision: str = "main"
    path: FilePath | None = None
    endpoint: str | None = None

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if self.hub is None and self.path is None:
            raise ValueError("needs 'hub' (a repository) or 'path' (a folder)")
        return self

    @property
    def origin(self) -> dict[str, str | None]:
        """What decides the weights: the folder, or the revision, wherever it is served."""
        ignored = {"hub": None, "revision": "main"} if self.path is not None else {}
        return self.model_dump() | {"endpoint": None} | ignored


class Every(Block):
    """Layers at equal distances, beginning with the token embeddings.

    Attributes
    ----------
    every : int
        4: layers 0, 4, 8 and so on.
    """

    every: PositiveInt


class Model(Block):
    """One model of the study.

    Attributes
    ----------
    key, label : str
        Its name in files and in figures.
    family : str
        The code that runs it, see `brainstruct.models.registry`.
    checkpoint : str
        Key of ``checkpoints``.
    n_layers : int
        Hidden states it has, token embeddings included; checked when it is loaded.
    layers : "all", list of int, list of float, or Every
        Layers that are fitted: indices, or depths from 0 (token embeddings) to 1 (last block).
    instructions : "all" or list of str
        Instructions it is given; models that follow none ignore this.
    random_seed : int or None
        Draw the weights from this seed instead of reading them: the random baseline.
    prompt : str or None
        The prompt, with ``{instruction}`` and, where it has a place, ``{image}``; `None`: that
        of the family, or of the checkpoint's chat template.
    gpus : int
        GPUs of a job that runs it; its weights are spread over them.
    chat : mapping
        Arguments of the checkpoint's chat template, such as ``enable_thinking``; ``system``
        is the text of a message before the instruction.
    thinking_tokens : int
        It may think so long before it answers, begin and end included; 0: it is not let begin.
    thinking_pooled : bool
        Average these tokens' states with those of the answer, instead of dropping them.
    weights : "4bit", "8bit" or None
        Pack weights into so many bits when they are read; `None`: as they are stored.
    """

    key: Key
    label: Text
    family: Annotated[str, one_of("family", FAMILIES)]
    checkpoint: str
    n_layers: PositiveInt
    layers: Literal["all"] | list[NonNegativeInt] | list[Depth] | Every = "all"
    instructions: Literal["all"] | list[str] = "all"
    random_seed: int | None = None
    prompt: str | None = None
    gpus: PositiveInt = 1
    chat: dict[str, str | bool | int] = {}
    thinking_tokens: NonNegativeInt = 0
    thinking_pooled: bool = False
    weights: Literal["4bit", "8bit"] | None = None

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if self.prompt is not None and "{instruction}" not in self.prompt:
            raise ValueError("'prompt' has no place for the instruction: write {instruction}")
        if self.prompt is not None and self.chat:
            raise ValueError("'chat' is for the checkpoint's template; 'prompt' replaces it")
        if self.weights is not None and self.random_seed is not None:
            raise ValueError("'weights' packs what is read; with 'random_seed' nothing is")
        return self

    @model_validator(mode="after")
    def _layers_exist(self) -> Self:
        found = self.fitted_layers
        if not found or found[-1] >= self.n_layers or len(set(found)) < len(found):
            raise ValueError(
                f"'layers' must name some of 0..{self.n_layers - 1}, each once, got {found}"
            )
        return self

    @property
    def follows_instructions(self) -> bool:
        """Whether the model is run once per instruction."""
        return FAMILIES[self.family].modality == "image+instruction"

    @property
    def reads_captions(self) -> bool:
        """Whether the model embeds captions instead of images."""
        return FAMILIES[self.family].modality == "text"

    @property
    def fitted_layers(self) -> list[int]:
        """Indices of the layers that are fitted, in order, however the study names them."""
        if self.layers == "all" or isinstance(self.layers, Every):
            return list(range(0, self.n_layers, 1 if self.layers == "all" else self.layers.every))
        blocks = self.n_layers - 1
        return sorted(
            int(one * blocks + 0.5) if isinstance(one, float) else one for one in self.layers
        )


class ShownModel(Block):
    """A model as pages and exports show it.

    Attributes
    ----------
    key, label : str
        Its name in files and in figures.
    n_layers : int
        Hidden states it has.
    instructions : mapping
        What it is asked, by key, in the order of legends; empty if it follows none.
    """

    key: str
    label: str
    n_layers: int
    instructions: dict[str, Instruction]

    @property
    def texts(self) -> dict[str, str]:
        """Key -> text of its instructions."""
        return {key: entry.text for key, entry in self.instructions.items()}


class Sampling(Block):
    """How the tokens of a response are drawn; no batch changes what is drawn.

    Attributes
    ----------
    seed : int
        Of the draws.
    temperature : float
        Divides the logits.
    top_k : int or None
        Draw from so many likeliest tokens; `None`: from all.
    top_p : float
        Draw from the smallest set of tokens that holds this share of the probability.
    """

    seed: NonNegativeInt = 0
    temperature: PositiveFloat = 1.0
    top_k: PositiveInt | None = None
    top_p: float = Field(default=1.0, gt=0, le=1)


class Embedding(Block):
    """How models are run.

    Attributes
    ----------
    batch_size : int
        Stimuli per forward pass, to begin with; the job doubles it while its GPU has room, and
        halves it if memory runs out.
    images_per_shard : int
        Stimuli after which a job saves what it has.
    instructions_per_job : "all" or int
        Instructions that one job gives to a model it has loaded once, and to images it has seen
        once, where they stand before the instruction.
    max_new_tokens : int
        Longest response.
    decoding : "greedy" or Sampling
        How responses are decoded.
    pooling : str
        Token states that are averaged: those of the response, the prompt, or
        the prompt's last token alone.
    device, dtype : str
        ``auto``: CUDA where there is a GPU, in bfloat16, or float16 if it is too old for that;
        else CPU and float32.
    storage : str
        Precision of stored states.
    keep : bool
        Keep embeddings when everything of the study that needs them is there.
    """

    batch_size: PositiveInt = 64
    images_per_shard: PositiveInt = 512
    instructions_per_job: Literal["all"] | PositiveInt = 1
    max_new_tokens: PositiveInt = 32
    decoding: Literal["greedy"] | Sampling = "greedy"
    pooling: Literal["response_mean", "last_prompt_token", "prompt_mean"] = "response_mean"
    device: Literal["auto", "cuda", "cpu"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    storage: Literal["float16", "float32"] = "float16"
    keep: bool = True
