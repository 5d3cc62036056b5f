"""The whole configuration of a study."""

from functools import cached_property
from itertools import combinations
from typing import Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from brainstruct.config.data import Data
from brainstruct.config.encoding import Alignment, Encoding
from brainstruct.config.fetch import Fetch
from brainstruct.config.figures import Flatmaps
from brainstruct.config.models import Checkpoint, Embedding, Instruction, Model
from brainstruct.config.sense import nonsense
from brainstruct.config.statistics import CrossSubject, Partition, Statistics
from brainstruct.config.synthetic import Synthetic
from brainstruct.datasets.interface import DataSet, Wanted
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.errors import InputError
from brainstruct.settings.base import Block, FilePath, Key
from brainstruct.settings.suggest import unknown_name

NO_INSTRUCTION = "none"
"""Instruction key of models that follow no instructions."""

RESERVED = (NO_INSTRUCTION, "mean")
"""No instruction may have these keys; tables call the mean over instructions ``mean``."""


class Study(Block):
    """A study: everything that decides what is computed.

    Attributes
    ----------
    study : str
        Its name, for titles.
    seed : int
        Seed of everything random in the analysis.
    results : str
        Folder of the results.
    embeddings_store : str or None
        Folder outside of them for finished embeddings, which studies and people share.
    subjects : list of str
        Subjects of the data set.
    data : Data
        The data set on disk.
    instruction_texts : mapping
        Instructions to choose from, by key.
    instructions : list of str
        Instructions of the study, in the order of legends.
    checkpoints : mapping
        Checkpoints to choose from, by name.
    models : list of Model
        Models of the study, in the order of figures.
    embedding : Embedding
        How models are run.
    encoding : Encoding
        How encoding models are fitted.
    alignment : Alignment
        How scores are normalised.
    statistics : Statistics
        What is compared with what.
    cross_subject : CrossSubject
        How well subjects predict each other; a ceiling needs three subjects or more.
    partition : Partition
        Which instructions' variance is partitioned, and how.
    concepts : mapping
        Concept -> instructions that ask for it.
    flatmaps : Flatmaps
        How maps are drawn.
    fetch : Fetch
        How the data set is downloaded.
    synthetic : Synthetic or None
        A data set to write before it is analysed.
    """

    study: Key
    seed: int = Field(ge=0, lt=2**32)
    results: FilePath = "results"
    data: Data  # before `subjects`, which it knows
    subjects: list[Key] = Field(min_length=1)
    instruction_texts: dict[Key, Instruction]
    instructions: list[str] = Field(min_length=1)
    checkpoints: dict[Key, Checkpoint]
    models: list[Model] = Field(min_length=1)
    embedding: Embedding = Embedding()
    encoding: Encoding = Encoding()
    alignment: Alignment = Alignment()
    statistics: Statistics = Statistics()
    cross_subject: CrossSubject = CrossSubject()
    partition: Partition = Partition()
    concepts: dict[Key, list[str]] = {}
    flatmaps: Flatmaps
    embeddings_store: FilePath | None = None
    fetch: Fetch = Fetch()
    synthetic: Synthetic | None = None

    @model_validator(mode="before")
    @classmethod
    def _preset_means_over_layers(cls, data: Any) -> Any:
        """Let a preset's layer rule stand: config.yaml names one in any case."""
        encoding = data.get("encoding") if isinstance(data, dict) else None
        alignment = data.get("alignment", {}) if isinstance(data, dict) else None
        if isinstance(encoding, dict) and encoding.get("preset") and isinstance(alignment, dict):
            data = {**data, "alignment": {**alignment, "layers": "mean"}}
        return data

    @field_validator("subjects")
    @classmethod
    def _subjects_are_the_data_sets(cls, subjects: list[str], info: ValidationInfo) -> list[str]:
        data = info.data.get("data")  # absent if it has faults of its own
        known = data.opened.subjects if data else subjects
        for problem in unknown_name("names", subjects, known):
            raise ValueError(problem.removeprefix("names: "))
        return subjects

    @model_validator(mode="after")
    def _names_refer_to_something(self) -> Self:
        keys = [model.key for model in self.models]
        problems = [
            *_repeated("subjects", self.subjects),
            *_repeated("instructions", self.instructions),
            *_repeated("models", keys),
            *unknown_name("instructions", self.instructions, self.instruction_texts),
            *_repeated("data.rois", self.data.rois),
        ]
        if taken := [key for key in RESERVED if key in self.instructions]:
            problems.append(f"instructions: {', '.join(taken)} means something else in results")
        if self.data.mask in self.data.rois:
            problems.append(f"data.rois: '{self.data.mask}' is the mask, which is scored anyway")
        for model in self.models:
            where = f"models.{model.key}"
            problems += unknown_name(f"{where}.checkpoint", [model.checkpoint], self.checkpoints)
            if model.instructions != "all":
                where = f"{where}.instructions"
                problems += unknown_name(where, model.instructions, self.instructions)
                problems += _repeated(where, model.instructions)
                if model.follows_instructions and not model.instructions:
                    problems.append(f"{where}: is empty; name one, or 'all'")
        if isinstance(self.data.sessions, dict):
            problems += unknown_name("data.sessions", self.data.sessions, self.subjects)
        if self.statistics.compare != "all":
            for a, b in self.statistics.compare:
                problems += unknown_name("statistics.compare", (a, b), keys)
                if a == b:
                    problems.append(f"statistics.compare: '{a}' is compared with itself")
            pairs = [" and ".join(sorted(pair)) for pair in self.statistics.compare]
            problems += _repeated("statistics.compare", pairs)
        for concept, members in self.concepts.items():
            problems += unknown_name(f"concepts.{concept}", members, self.instruction_texts)
        layer, reference = self.partition.layer, self.partition.reference
        if reference != "all":
            problems += unknown_name("partition.reference", [reference], self.instruction_texts)
        parted = {model.key: model.fitted_layers for model in self.models
                  if len(given := self.instructions_of(model)) > 1
                  and (reference == "all" or reference in given)}  # fmt: skip
        if lacking := [
            key for key in parted if isinstance(layer, int) and layer not in parted[key]
        ]:
            last = min(parted[key][-1] for key in lacking)
            problems.append(
                f"partition.layer: {layer} is not among the fitted layers of "
                f"{', '.join(map(repr, lacking))} (up to {last})"
            )
        if self.alignment.ceiling == "cross_subject" and len(self.subjects) < 3:
            problems.append("alignment.ceiling: 'cross_subject' needs three subjects or more")
        if self.synthetic is not None:
            problems += self._synthetic_problems(self.synthetic)
        if problems or (problems := list(nonsense(self))):
            raise ValueError("\n".join(problems))
        return self

    def _synthetic_problems(self, synthetic: Synthetic) -> list[str]:
        problems = unknown_name("subjects", self.subjects, synthetic.sessions)
        if self.data.dataset != Nsd.origin:
            problems.append("synthetic: is written in the NSD's formats, and data.dataset is other")
        problems += unknown_name("synthetic.checkpoints", synthetic.checkpoints, self.checkpoints)
        if self.data.format != "auto" and self.data.format not in synthetic.formats:
            problems.append(f"data.format: '{self.data.format}' is not among synthetic.formats")
        for subject, written in synthetic.sessions.items():
            if (self.data.sessions_of(subject) or 0) > written:
                problems.append(
                    f"data.sessions: synthetic.sessions has only {written} of {subject}"
                )
        models = {model.key: model for model in self.models}
        for planted in synthetic.planted:
            where = f"synthetic.planted.{planted.roi}"
            problems += unknown_name(f"{where}.model", [planted.model], models)
            problems += unknown_name(
                f"{where}.instruction", [planted.instruction], self.instruction_texts
            )
            model = models.get(planted.model)
            if model is not None and planted.layer >= model.n_layers:
                problems.append(f"{where}.layer: {planted.layer} is beyond 0..{model.n_layers - 1}")
        return problems

    @cached_property
    def dataset(self) -> DataSet:
        """The data set, on disk or written by the study."""
        found = self.data.opened
        if isinstance(found, Nsd) and self.synthetic is not None:
            return found.to_be_written(self.synthetic)
        return found

    @property
    def paths(self) -> dict[tuple[str, ...], str | None]:
        """Settings that name files and folders, by their place in the configuration."""
        found: dict[tuple[str, ...], str | None] = {
            ("results",): self.results,
            ("embeddings_store",): self.embeddings_store,
            ("flatmaps", "store"): self.flatmaps.store,
        }
        found |= {("data", name): path for name, path in self.dataset.places.items()}
        return found | {
            ("checkpoints", name, "path"): one.path for name, one in self.checkpoints.items()
        }

    @property
    def wanted(self) -> Wanted:
        """What the study reads of the data set."""
        reads = [model.reads_captions for model in self.models]
        return Wanted(self.subjects, self.data.mask, self.data.rois, not all(reads), any(reads))

    def model(self, key: str) -> Model:
        """Return the model with a key.

        Raises
        ------
        InputError
            If the study has none.
        """
        models = {model.key: model for model in self.models}
        if key not in models:
            raise InputError(key, "is no model of the study", f"Use one of {', '.join(models)}")
        return models[key]

    @property
    def compared_models(self) -> list[tuple[str, str]]:
        """Pairs of models that are compared: the first minus the second."""
        if self.statistics.compare != "all":
            return list(self.statistics.compare)
        # Models that follow instructions stand first.
        order = sorted(
            self.models,
            key=lambda model: not model.follows_instructions or model.random_seed is not None,
        )
        return [
            (a.key, b.key)
            for a, b in combinations(order, 2)
            if a.random_seed is None or b.random_seed is None
        ]

    def instructions_of(self, model: Model) -> list[str]:
        """Return the instruction keys a model is run with."""
        if not model.follows_instructions:
            return [NO_INSTRUCTION]
        if model.instructions == "all":
            return list(self.instructions)
        return [key for key in self.instructions if key in model.instructions]


def _repeated(where: str, names: list[str]) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    return [f"{where}: {', '.join(twice)} stand there more than once"] if twice else []
