"""What rules/data.smk takes: image lists, responses, noise ceilings."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from brainstruct.datasets.interface import DataSet, Part
from brainstruct.workflow.formats import STAGES, stage_format
from brainstruct.workflow.identity import stage_identity
from brainstruct.workflow.inputs import Inputs
from brainstruct.workflow.room import Room, Wildcards, file


@dataclass(frozen=True)
class DataRoom(Room):
    """Names and choices; see `Room`."""

    inputs: Inputs

    plan = file("plan.json")  # what the study will take
    data_check = file("data_check.json")  # list of the data set's files, once all are there
    stimuli = file("stimuli/{subject}.tsv")  # images that a subject saw, one row each
    block = file("stimuli/blocks/{block}.tsv")  # images of one embedding job
    responses = file("responses/{subject}.nc")  # betas, averaged over repetitions
    ceiling = file("ceilings/{subject}.nc")  # noise ceilings, beside voxels and regions
    cross_subject = file("ceilings/cross_subject/{subject}.nc")  # from other subjects

    @property
    def dataset(self) -> DataSet:
        """The data set, which says what there is."""
        return self.inputs.dataset

    @cached_property
    def image_sets(self) -> dict[str, int]:
        """Image sets of the study, and how many images each has by design."""
        return self.dataset.image_sets(self.study.subjects)

    def blocks_of(self, image_set: str) -> list[str]:
        """Return the blocks of an image set."""
        count = -(-self.image_sets[image_set] // self.study.data.images_per_block)
        return [f"{image_set}-{index:03d}" for index in range(count)]

    @cached_property
    def blocks(self) -> list[str]:
        """All blocks of the study."""
        return [block for name in self.image_sets for block in self.blocks_of(name)]

    def blocks_seen(self, subject: str) -> list[str]:
        """Return the blocks that hold everything a subject saw."""
        return [
            block for name in self.dataset.image_sets_of(subject) for block in self.blocks_of(name)
        ]

    def wildcard(self, names: Iterable[str]) -> str:
        """Return the expression of a wildcard that is one of some names."""
        return "|".join(map(re.escape, names))

    @cached_property
    def all_stimuli(self) -> list[str]:
        """Image lists of every subject and block."""
        return self.of_subjects(self.stimuli) + [self.block(block) for block in self.blocks]

    # What jobs get.

    def about_trials(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the settings of the data set that decide what the job's subject saw."""
        return self.dataset.settings_for("trials", wildcards.subject)

    def about_images(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the settings that decide which images the job's image set has."""
        return self.dataset.settings_for("stimuli", wildcards.image_set, self.present)

    def about_betas(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the settings that decide which responses of the job's subject are read."""
        return self.dataset.settings_for("betas", wildcards.subject)

    def about(self, part: Part) -> dict[str, Any]:
        """Return the settings that decide what a part is that no wildcard has a say in."""
        return self.dataset.settings_for(part)

    def code(self, stage: str, *parts: Part) -> str:
        """Return what a stage that reads parts of the data set computes: numbers, or a hash."""
        read = self.numbers(*parts)
        if stage in STAGES:
            return stage_format(stage, *read)
        return ", ".join([stage_identity(stage), *read])

    def numbers(self, *parts: Part) -> list[str]:
        """Return the numbers that parts of the data set have, see `DataSet.formats`."""
        formats = self.dataset.formats
        return [f"{part} {formats[part]}" for part in parts if part in formats]

    def check(self, wildcards: Wildcards) -> list[str]:
        """Return what the job waits for where files of its subject are missing; it names them."""
        return self.check_of([wildcards.subject])

    def check_of_images(self, wildcards: Wildcards) -> list[str]:
        """Return what the job waits for where files are missing of all who saw its images."""
        return self.check_of(
            subject
            for subject in self.study.subjects
            if wildcards.image_set in self.dataset.image_sets_of(subject)
        )

    def check_of(self, subjects: Iterable[str]) -> list[str]:
        """Return the check of the data set if files are missing of each of some subjects."""
        return [self.data_check()] if set(subjects) <= self.inputs.missing.keys() else []

    @cached_property
    def present(self) -> list[str]:
        """Subjects whose responses are there or can be made; all, if those are too few.

        A subject whose files are still to come changes nothing for the others.
        """
        found = [
            subject
            for subject in self.study.subjects
            if Path(self.responses(subject)).exists() or self.inputs.has_responses(subject)
        ]
        needed = 2 if self.study.alignment.ceiling == "cross_subject" else 1
        return found if len(found) >= needed else self.study.subjects

    def other_subjects(self, wildcards: Wildcards) -> list[str]:
        """Every subject in `present` but the job's."""
        return [subject for subject in self.present if subject != wildcards.subject]

    def other_responses(self, wildcards: Wildcards) -> list[str]:
        """Responses of every subject but the job's."""
        return [self.responses(subject) for subject in self.other_subjects(wildcards)]

    def cross_subject_ceiling(self, wildcards: Wildcards) -> list[str]:
        """Cross-subject ceiling of the job's subject, if there are others."""
        return [self.cross_subject(wildcards.subject)] if self.other_subjects(wildcards) else []

    @property
    def cross_subject_options(self) -> dict[str, Any]:
        """Options of the cross-subject ceiling."""
        return self.study.cross_subject.model_dump() | {"seed": self.study.seed}

    @property
    def families(self) -> list[str]:
        """The mask and the ROI families, in the order of figures."""
        return [self.study.data.mask, *self.study.data.rois]
