"""What rules/synthetic.smk takes: a data set that the workflow writes, and its truth."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from brainstruct.config.synthetic import Synthetic
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.synthetic.settings import Brains, Experiment
from brainstruct.workflow.encoding import EncodingRoom
from brainstruct.workflow.room import Room, file


@dataclass(frozen=True)
class SyntheticRoom(Room):
    """Names and choices; see `Room`. Its lists are empty for a real data set."""

    encoding: EncodingRoom

    anatomy = file("synthetic/anatomy.nc")  # regions that the data set is laid out on
    planted_features = file("synthetic/features/{model}/{instruction}.nc")  # drive regions

    def truth(self, subject: str = "{subject}") -> str:
        """Truth about a synthetic subject."""
        return f"{self.study.data.nsd_root}/brainstruct_truth/{subject}.nc"

    @cached_property
    def planted(self) -> dict[str, dict[str, list[int]]]:
        """Model -> instruction -> layers that drive planted regions, sorted."""
        found: dict[str, dict[str, list[int]]] = {}
        for planted in self.study.synthetic.planted if self.study.synthetic else []:
            layers = found.setdefault(planted.model, {}).setdefault(planted.instruction, [])
            if planted.layer not in layers:
                layers.append(planted.layer)
                layers.sort()
        return found

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Subjects and models that drive planted regions."""
        pairs = self.encoding.pairs(only_instructed=True)
        return [(subject, model) for subject, model in pairs if model in self.planted]

    @cached_property
    def all_features(self) -> list[str]:
        """Feature files of everything that is planted."""
        return [
            self.planted_features(model, instruction)
            for model, instructions in self.planted.items()
            for instruction in instructions
        ]

    @cached_property
    def all_tables(self) -> list[str]:
        """Table of what was found back, if anything was planted."""
        return [self.table("recovery")] if self.pairs else []

    @cached_property
    def all_figures(self) -> list[str]:
        """What was planted beside what was found."""
        return [
            self.figure(f"planted_recovered/{subject}_{model}") for subject, model in self.pairs
        ]

    @property
    def nsd(self) -> Nsd:
        """The data set, in whose formats the workflow writes."""
        assert isinstance(self.study.dataset, Nsd)
        return self.study.dataset

    def lists(self) -> list[str]:
        """Return stimuli, design and captions, shared by all subjects."""
        return [str(path) for path in self.nsd.written_lists()]

    def files(self, subject: str) -> list[str]:
        """Return the files of a subject."""
        data = self.study.data
        return [str(path) for path in self.nsd.subject_files(subject, data.mask, data.rois)]

    def surfaces(self, subject: str) -> list[str]:
        """Return the cortex of a subject: surfaces, patches and transforms."""
        halves = self.nsd.cortex_files(subject, self.study.flatmaps.patch)
        return [str(path) for one in halves for path in (*one.surfaces, *one.depths, one.average)]

    @property
    def practice(self) -> list[str]:
        """All that is written: the data set, and the checkpoints."""
        study = self.study
        made = [
            *self.lists(),
            *(str(study.checkpoints[one].path) for one in self.written.checkpoints),
        ]
        for subject in self.written.sessions:
            made += [*self.files(subject), *self.surfaces(subject)]
        return made

    # What jobs get.

    @property
    def layout(self) -> dict[str, Any]:
        """Arguments of `brainstruct.datasets.nsd.layout.Layout`."""
        return dict(self.nsd.layout.words)

    @property
    def subject_plan(self) -> dict[str, Any]:
        """How brains are made."""
        return self.written.model_dump(include=set(Brains.model_fields))

    @property
    def study_plan(self) -> dict[str, Any]:
        """Who is scanned, and what is shown."""
        return self.written.model_dump(include=set(Experiment.model_fields))

    @property
    def written(self) -> Synthetic:
        """The ``synthetic`` block, which a configuration with these rules has."""
        assert self.study.synthetic is not None
        return self.study.synthetic
