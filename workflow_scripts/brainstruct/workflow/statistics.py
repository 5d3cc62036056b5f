"""What rules/statistics.smk takes: comparisons, partitions of variance, concept groups."""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from brainstruct.config.statistics import PartitionSettings
from brainstruct.workflow.encoding import EncodingRoom
from brainstruct.workflow.models import ModelRoom
from brainstruct.workflow.room import Room, Wildcards, file


@dataclass(frozen=True)
class StatisticsRoom(Room):
    """Names and choices; see `Room`."""

    models: ModelRoom
    encoding: EncodingRoom

    uncertainty = file("uncertainty/{subject}/{model}.nc")  # p of scores, bootstrap of regions
    model_comparison = file("comparisons/models/{subject}.nc")
    instruction_comparison = file("comparisons/instructions/{subject}/{model}.nc")  # in pairs
    best_models = file("comparisons/best_models/{subject}.nc")  # of every voxel
    notes = file("tables/{name}.txt")  # what belongs to a table of the whole study
    partition = file("partition/{subject}/{model}.nc")  # variance of pairs of instructions
    concepts = file("concepts/{subject}/{model}.nc")  # winners within each group, per voxel
    concept_table = file("tables/concepts/{subject}/{model}.tsv")  # the same per region

    def partition_table(
        self, subject: str = "{subject}", model: str = "{model}", kind: str = "regions"
    ) -> str:
        """Partitioned variance per region, or (``matrix``) of the mask as a matrix."""
        return f"{self.root}/tables/partition/{subject}/{model}_{kind}.tsv"

    # Models, and lists of names.

    @cached_property
    def compared_models(self) -> list[str]:
        """Models that some comparison names, in the order of the study."""
        named = {key for pair in self.study.compared_models for key in pair}
        return [model.key for model in self.study.models if model.key in named]

    @cached_property
    def instructed_models(self) -> list[str]:
        """Models with two instructions or more."""
        return [
            model.key for model in self.study.models if len(self.study.instructions_of(model)) > 1
        ]

    @cached_property
    def concept_models(self) -> list[str]:
        """Models that were given an instruction of some concept."""
        grouped = {key for members in self.study.concepts.values() for key in members}
        return [
            model
            for model in self.instructed_models
            if grouped.intersection(self.study.instructions_of(self.study.model(model)))
        ]

    def pairs_of(self, model: str) -> list[tuple[str, str]]:
        """Return the pairs of instructions whose variance is partitioned."""
        names = self.study.instructions_of(self.study.model(model))
        reference = self.study.partition.reference
        if reference == "all":
            return list(combinations(names, 2))
        return [(reference, name) for name in names if name != reference and reference in names]

    @cached_property
    def all_instruction_comparisons(self) -> list[str]:
        """Instructions compared, one file per subject for every model."""
        return [
            self.instruction_comparison(subject, model)
            for model in self.instructed_models
            for subject in self.study.subjects
        ]

    @property
    def model_table(self) -> list[str]:
        """Table of compared models, if any are."""
        return [self.table("model_comparisons")] if self.study.compared_models else []

    @property
    def instruction_table(self) -> list[str]:
        """Table of compared instructions, if any model has several."""
        return [self.table("instruction_comparisons")] if self.instructed_models else []

    @cached_property
    def all_statistics(self) -> list[str]:
        """Comparisons, partitions and concept groups."""
        return [
            self.table("alignment_subjects"),
            self.table("paper"),
            *self.model_table,
            *self.instruction_table,
            *self.all_partitions(),
            *self.all_partitions("matrix"),
            *(self.concept_table(s, m) for s in self.study.subjects for m in self.concept_models),
        ]

    def all_partitions(self, kind: str = "regions") -> list[str]:
        """Tables of partitioned variance, of every subject and model that has one."""
        return [
            self.partition_table(subject, model, kind)
            for subject in self.study.subjects
            for model in self.instructed_models
            if self.pairs_of(model)
        ]

    @property
    def families(self) -> dict[str, list[str]]:
        """Family -> its models; those with random weights apart."""
        found: dict[str, list[str]] = {}
        for model in self.study.models:
            family = model.family if model.random_seed is None else "random"
            found.setdefault(family, []).append(model.key)
        return found

    @property
    def depths(self) -> dict[str, int]:
        """Key -> number of the last layer of every model."""
        return {model.key: model.n_layers - 1 for model in self.study.models}

    # What jobs get.

    @property
    def options(self) -> dict[str, Any]:
        """Options of comparisons."""
        return {"n_draws": self.study.statistics.n_draws, "seed": self.study.seed}

    @property
    def groups(self) -> dict[str, list[str]]:
        """Compared model -> its instructions."""
        return {
            key: self.study.instructions_of(self.study.model(key)) for key in self.compared_models
        }

    def single_groups(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Instruction of the job's model -> itself alone."""
        return {name: [name] for name in self.encoding.instructions(wildcards)}

    def all_pairs(self, wildcards: Wildcards) -> list[tuple[str, str]]:
        """Every pair of the instructions of the job's model."""
        return list(combinations(self.encoding.instructions(wildcards), 2))

    def compared_predictions(self, wildcards: Wildcards) -> list[str]:
        """Predictions of all compared models, in the order of `groups`."""
        return [
            self.encoding.prediction(wildcards.subject, model, instruction)
            for model, instructions in self.groups.items()
            for instruction in instructions
        ]

    def predictions(self, wildcards: Wildcards) -> list[str]:
        """Predictions of the job's model, instruction by instruction."""
        return [
            self.encoding.prediction(wildcards.subject, wildcards.model, instruction)
            for instruction in self.encoding.instructions(wildcards)
        ]

    def comparison_of_instructions(self, wildcards: Wildcards) -> list[str]:
        """Comparison of the instructions of the job's model, if it has several."""
        compared = wildcards.model in self.instructed_models
        key = wildcards.subject, wildcards.model
        return [self.instruction_comparison(*key)] if compared else []

    def embeddings(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Partitioned instruction -> embeddings of everything the job's subject saw."""
        names = {name for pair in self.pairs_of(wildcards.model) for name in pair}
        return {
            name: self.models.embeddings_of(wildcards.subject, wildcards.model, name)
            for name in self.encoding.instructions(wildcards)
            if name in names
        }

    def embedding_files(self, wildcards: Wildcards) -> list[str]:
        """All files of `embeddings`."""
        paths = [path for paths in self.embeddings(wildcards).values() for path in paths]
        outputs = [self.partition(wildcards.subject, wildcards.model)]
        return self.models.discarded.needed(paths, outputs)

    @property
    def partition_settings(self) -> dict[str, Any]:
        """Everything in the partition block that decides its numbers."""
        return self.study.partition.model_dump(include=set(PartitionSettings.model_fields))
