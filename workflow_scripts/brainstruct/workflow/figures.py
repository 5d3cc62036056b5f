"""What rules/figures.smk takes: the pycortex store, maps, bars and profiles."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from brainstruct.workflow.data import DataRoom
from brainstruct.workflow.encoding import EncodingRoom
from brainstruct.workflow.room import Room, Wildcards, file
from brainstruct.workflow.statistics import StatisticsRoom


@dataclass(frozen=True)
class FigureRoom(Room):
    """Names and choices; see `Room`."""

    data: DataRoom
    encoding: EncodingRoom
    statistics: StatisticsRoom

    pycortex_store = file("pycortex/ready.json")  # marker of the study's private pycortex store

    # Models, and lists of names.

    @cached_property
    def mllms(self) -> list[str]:
        """Models that follow instructions, with trained weights."""
        return [
            model.key
            for model in self.study.models
            if model.follows_instructions and model.random_seed is None
        ]

    @cached_property
    def all_figures(self) -> list[str]:
        """Every figure of the study, those of a synthetic truth apart."""
        statistics = self.statistics
        names = ["roi_bars", "layer_profiles"]
        names += ["instruction_rois"] if self.mllms else []
        for subject in self.study.subjects:
            names += [f"model_scatter/{subject}"] if len(self.mllms) > 1 else []
        for model in statistics.instructed_models:
            names += [f"shared_variance/{model}"] if statistics.pairs_of(model) else []
        return [self.figure(name) for name in names + (self._maps if self.mapped else [])]

    @property
    def mapped(self) -> bool:
        """Whether there is a cortex to draw every subject on."""
        return all(found.source != "none" for found in self.data.inputs.flat_sources.values())

    @property
    def _maps(self) -> list[str]:
        """Names of figures that show a cortex."""
        instructed, concepts = self.statistics.instructed_models, self.statistics.concept_models
        names = ["noise_ceiling"]
        for subject in self.study.subjects:
            names += [f"alignment_maps/{subject}"] if self.mllms else []
            names += [f"winning_model/{subject}"] if self.statistics.compared_models else []
            names += [f"concepts/{subject}_{model}" for model in concepts]
        for subject, model in self.encoding.pairs():
            names += [f"winning_layer/{subject}_{model}"]
            names += [f"winning_instruction/{subject}_{model}"] if model in instructed else []
        return names

    # What jobs get.

    @property
    def cortices(self) -> dict[str, dict[str, Any]]:
        """Subject in `DataRoom.present` -> the cortex its flatmaps show, and why."""
        flatmaps, sources = self.study.flatmaps, self.data.inputs.flat_sources
        chosen = [(subject, sources[subject]) for subject in self.data.present]
        return {
            subject: {
                "source": found.source,
                "reason": found.reason,
                "files": [str(path) for path in found.files],
                "name": flatmaps.subject.format(subject=subject),
                "transform": flatmaps.transform.format(subject=subject),
            }
            for subject, found in chosen
        }

    @property
    def labels(self) -> dict[str, str]:
        """Key -> label of every model, in the order of figures."""
        return {model.key: model.label for model in self.study.models}

    @property
    def mllm_labels(self) -> dict[str, str]:
        """Key -> label of the models in `mllms`."""
        return {key: self.labels[key] for key in self.mllms}

    def label(self, wildcards: Wildcards) -> str:
        """Label of the job's model."""
        return self.study.model(wildcards.model).label

    def title(self, wildcards: Wildcards) -> str:
        """Title of a figure of one subject and model."""
        return f"{self.label(wildcards)}, {wildcards.subject}"

    @property
    def hidden_states(self) -> dict[str, int]:
        """Key -> hidden states of every model, whichever of them are fitted."""
        return {model.key: model.n_layers for model in self.study.models}

    def legend(self, wildcards: Wildcards) -> dict[str, dict[str, str]]:
        """Key -> task and text of the instructions of the job's model, in legend order."""
        return {
            key: self.study.instruction_texts[key].model_dump()
            for key in self.encoding.instructions(wildcards)
        }

    @property
    def baselines(self) -> dict[str, dict[str, Any]]:
        """Mark of a figure -> the models it says a model is better than, and their label."""
        models = self.study.models
        random = [model.key for model in models if model.random_seed is not None]
        seeing = ("vit", "image")
        vision = [m for m in models if m.family in seeing and m.random_seed is None]
        return {
            "*": {"models": random, "label": "random weights"},
            "^": {
                "models": [model.key for model in vision],
                "label": ", ".join(model.label for model in vision),
            },
        }

    def partition_tables(self, wildcards: Wildcards) -> list[str]:
        """Regional partitions of the job's model, subject by subject."""
        return self.of_subjects(lambda s: self.statistics.partition_table(s, wildcards.model))

    def partitions(self, wildcards: Wildcards) -> list[str]:
        """Partitions of the job's model, subject by subject."""
        return self.of_subjects(lambda s: self.statistics.partition(s, wildcards.model))

    def reference(self, wildcards: Wildcards) -> str:
        """Instruction that the job's model's others are shown against."""
        return self.statistics.pairs_of(wildcards.model)[0][0]
