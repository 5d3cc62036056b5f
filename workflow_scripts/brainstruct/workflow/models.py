"""What rules/models.smk takes: checkpoints and embeddings."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from brainstruct.config.study import NO_INSTRUCTION
from brainstruct.datasets.interface import Part
from brainstruct.models.registry import FAMILIES
from brainstruct.workflow.data import DataRoom
from brainstruct.workflow.discarded import Discarded
from brainstruct.workflow.formats import stage_format
from brainstruct.workflow.identity import stage_identity
from brainstruct.workflow.room import Room, Wildcards, bounded, chunks, file

DOWNLOADS = "resources/checkpoints"  # of the hub


@dataclass(frozen=True)
class EmbedJob:
    """What one kind of embedding job does."""

    instructions: tuple[str, ...]  # keys of those it gives, or the one wildcard of them
    models: tuple[str, ...]  # keys of those that have such a job

    @property
    def name(self) -> str:
        """Name of its log, without folder."""
        return bounded("_".join(self.instructions))

    @property
    def minutes(self) -> int:
        """Time that it asks for: to load the model, and for each instruction."""
        return 180 + 60 * len(self.instructions)


@dataclass(frozen=True)
class ModelRoom(Room):
    """Names and choices; see `Room`."""

    data: DataRoom
    discarded: Discarded = field(default_factory=Discarded, compare=False)

    checkpoint = file("checkpoints/{checkpoint}.json")  # manifest, once it is complete on disk
    checkpoint_stamps = file("checkpoints/{checkpoint}.stamps.json")  # sizes and times of its files
    embedding = file("embeddings/{model}/{instruction}/{block}.nc")  # states of fitted layers
    work = file("work/embed/{model}/{block}")  # folder for finished shards

    def checkpoint_folder(self, checkpoint: str) -> str:
        """Folder of a checkpoint: the user's own, or where a revision is downloaded to.

        Revisions have folders of their own, so that studies do not take each other's weights away.
        """
        source = self.study.checkpoints[checkpoint]
        if source.path is not None:
            return source.path
        parts = (str(source.hub), source.revision)
        return "/".join([DOWNLOADS, *(part.replace("/", "--") for part in parts)])

    def embeddings_of(self, subject: str, model: str, instruction: str) -> list[str]:
        """Return the embeddings of everything a subject saw."""
        blocks = self.data.blocks_seen(subject)
        return [self.embedding(model, instruction, block) for block in blocks]

    @cached_property
    def all_embeddings(self) -> list[str]:
        """Embeddings of every model, instruction and block."""
        return [
            self.embedding(model.key, instruction, block)
            for model in self.study.models
            for instruction in self.study.instructions_of(model)
            for block in self.data.blocks
        ]

    def needed_embeddings(self) -> list[str]:
        """Return `all_embeddings` without those that were discarded."""
        return self.discarded.without(self.all_embeddings)

    def embed_jobs(self) -> dict[str, EmbedJob]:
        """Return the kinds of embedding jobs: name of the rule -> what its jobs do.

        With one instruction per job, the usual case, there is one kind.
        """
        size = self.study.embedding.instructions_per_job
        if size == 1:
            return {"embed": EmbedJob(("{instruction}",), tuple(m.key for m in self.study.models))}
        found: dict[tuple[str, ...], list[str]] = {}
        for model in self.study.models:
            for chunk in chunks(self.study.instructions_of(model), size):
                found.setdefault(chunk, []).append(model.key)
        return {
            # Doubled, so that the keys "a-b" and "a", "b" give two names.
            bounded(f"embed_{'_'.join(chunk)}".replace("-", "__")): EmbedJob(chunk, tuple(models))
            for chunk, models in found.items()
        }

    # What jobs get.

    def built_folder(self, wildcards: Wildcards) -> str | list[str]:
        """Folder of a checkpoint that this workflow builds itself, if it does."""
        synthetic = self.study.synthetic
        if synthetic is None or wildcards.checkpoint not in synthetic.checkpoints:
            return []
        return self.study.checkpoints[wildcards.checkpoint].path or []

    def checkpoint_contents(self, wildcards: Wildcards) -> dict[str, str]:
        """Return what the files of a user's own checkpoint hold."""
        path = self.study.checkpoints[wildcards.checkpoint].path
        if path is None or self.built_folder(wildcards):
            return {}
        files = sorted(file for file in Path(path).rglob("*") if file.is_file())
        return self.data.inputs.contents.of(file for file in files if not file.name.startswith("."))

    def of_checkpoint(self, name: Callable[[str], str]) -> Callable[[Wildcards], str]:
        """Return what gives a job a file or folder of the checkpoint of its model."""
        return lambda wildcards: name(self.study.model(wildcards.model).checkpoint)

    def stimuli(self, wildcards: Wildcards) -> list[str]:
        """Files that the job's model looks at."""
        return self.data.inputs.stimuli(self.study.model(wildcards.model).reads_captions)

    def settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Everything that decides what the job's model makes of a stimulus."""
        return self.settings_of(wildcards.model)

    def layers(self, wildcards: Wildcards) -> list[int]:
        """Fitted layers of the job's model, whose states it keeps; see `records.AT_LEAST`."""
        return self.study.model(wildcards.model).fitted_layers

    def settings_of(self, key: str) -> dict[str, Any]:
        """Everything that decides what a model makes of a stimulus."""
        model, embedding = self.study.model(key), self.study.embedding
        decides = {"family", "checkpoint", "n_layers", "random_seed"}
        running = {"dtype", "storage"}
        decides |= {"weights"} if model.weights else set()
        if model.follows_instructions:
            running |= {"pooling"}
            own = ("prompt", "chat", "thinking_tokens", "thinking_pooled")
            decides |= {name for name in own if getattr(model, name)}
            if embedding.pooling == "response_mean":  # nothing else lets a model answer
                running |= {"max_new_tokens"}
                if embedding.decoding != "greedy":
                    running |= {"decoding"}
        found = model.model_dump(include=decides) | embedding.model_dump(include=running)
        return {"sampling" if name == "decoding" else name: found[name] for name in found}

    @property
    def precision(self) -> str:
        """Precision that a model runs in, as far as the configuration decides it."""
        embedding = self.study.embedding
        usual = {"cpu": "float32", "cuda": "bfloat16"}.get(embedding.device, "auto")
        return usual if embedding.dtype == "auto" else embedding.dtype

    def texts_of(self, instructions: Iterable[str]) -> dict[str, str | None]:
        """Key -> text of instructions; `None` for models that follow none."""
        texts = self.study.instruction_texts
        return {key: None if key == NO_INSTRUCTION else texts[key].text for key in instructions}

    def texts(self, instructions: tuple[str, ...]) -> Callable[[Any], dict[str, str | None]]:
        """Return what gives a job key -> text of instructions: keys, or wildcards in braces."""

        def chosen(wildcards: Any) -> dict[str, str | None]:
            return self.texts_of(instruction.format(**wildcards) for instruction in instructions)

        return chosen

    def gpus(self, wildcards: Wildcards) -> int:
        """GPUs of a job that embeds."""
        on_cpu = self.study.embedding.device == "cpu"
        return 0 if on_cpu else self.study.model(wildcards.model).gpus

    @property
    def threads(self) -> int:
        """Threads of a job that embeds: on the CPU as many as a fit's."""
        return self.study.encoding.threads if self.study.embedding.device == "cpu" else 1

    def looks_at(self, key: str) -> Part:
        """Part of the data set that a model looks at."""
        return "captions" if self.study.model(key).reads_captions else "pixels"

    def about_stimuli(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the settings that decide what the job's model looks at."""
        return self.data.dataset.settings_for(self.looks_at(wildcards.model))

    def embed_code(self, wildcards: Wildcards) -> str:
        """Return the numbers of the stage, of the job's model's family, and of what it looks at."""
        key = wildcards.model
        family = FAMILIES[self.study.model(key).family]
        seen = self.data.numbers(self.looks_at(key))
        return stage_format("embed", f"{family.name} {family.format}", *seen)

    def plant_code(self, key: str) -> str:
        """Return the identity of the code that plants a model's states, and its family's class."""
        family = FAMILIES[self.study.model(key).family]
        return f"{stage_identity('plant_features', family.module)} {family.name}"
