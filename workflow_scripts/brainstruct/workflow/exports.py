"""What rules/exports.smk takes: maps and tables for other tools, in a dataset of BIDS derivatives.

A participant is a subject, as the data set spells it in names of files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from brainstruct.workflow.data import DataRoom
from brainstruct.workflow.encoding import EncodingRoom
from brainstruct.workflow.figures import FigureRoom
from brainstruct.workflow.flat_source import SurfaceSource
from brainstruct.workflow.inputs import from_elsewhere
from brainstruct.workflow.room import Room, Wildcards, file
from brainstruct.workflow.statistics import StatisticsRoom
from brainstruct.workflow.synthetic import SyntheticRoom


@dataclass(frozen=True)
class ExportRoom(Room):
    """Names and choices; see `Room`."""

    data: DataRoom
    encoding: EncodingRoom
    statistics: StatisticsRoom
    figures: FigureRoom
    synthetic: SyntheticRoom

    derivatives = file("derivatives/{name}")  # file or folder of the exported dataset
    export = file("derivatives/sub-{participant}")  # folder with a participant's maps

    @cached_property
    def tables(self) -> list[str]:
        """Tables that are copied into the exported dataset."""
        encoding = self.encoding
        named = [*encoding.all_tables, *self.synthetic.all_tables, *self.statistics.all_statistics]
        named += encoding.of_pairs(encoding.roi_table) + encoding.of_pairs(encoding.layer_table)
        return named + self.of_subjects(self.data.stimuli)

    @cached_property
    def participants(self) -> dict[str, str]:
        """Label in names of files -> subject."""
        spelt = self.data.dataset.participant
        return {spelt(subject): subject for subject in self.study.subjects}

    @cached_property
    def all_exports(self) -> list[str]:
        """The exported dataset: its description, and a folder per subject with maps."""
        in_volumes = self.data.dataset.lie == "volume"
        folders = [self.export(label) for label in self.participants if in_volumes]
        return [self.derivatives("dataset_description.json"), *folders]

    # What jobs get.

    def subject(self, wildcards: Wildcards) -> str:
        """Subject that the participant is."""
        return self.participants[wildcards.participant]

    def of_models(self, name: Callable[..., str]) -> Callable[[Wildcards], list[str]]:
        """Return what gives a job a file of the exported subject for every model."""
        models = self.study.models
        return lambda wildcards: [name(self.subject(wildcards), model.key) for model in models]

    def check(self, wildcards: Wildcards) -> list[str]:
        """Return what the job waits for where files of the exported subject are missing."""
        return self.data.check_of([self.subject(wildcards)])

    @property
    def _sources(self) -> dict[str, SurfaceSource]:
        return self.data.inputs.surface_sources

    def surfaces(self, wildcards: Wildcards) -> dict[str, Any]:
        """Surfaces that the subject's maps are exported to; see `SurfaceSource`."""
        found = self._sources[self.subject(wildcards)]
        names = ("source", "average", "name", "transform", "reason")
        return {name: getattr(found, name) for name in names}

    def surface_files(self, wildcards: Wildcards) -> list[str]:
        """Files that these surfaces are made of."""
        found = self._sources[self.subject(wildcards)]
        store = [self.figures.pycortex_store()] if found.source == "store" else []
        return store + from_elsewhere(str(path) for path in found.files)

    def contents(self, wildcards: Wildcards) -> dict[str, str]:
        """Return what the files hold that say where places lie and what surfaces are made of."""
        inputs, subject = self.data.inputs, self.subject(wildcards)
        files = map(str, self._sources[subject].files)
        return inputs.contents.of(files) | inputs.contents_of(inputs.grid(subject))

    @property
    def surface_words(self) -> dict[str, str]:
        """Subject -> why its maps are on which surfaces."""
        return {subject: found.reason for subject, found in self._sources.items()}
