"""What rules/data.smk takes: image lists, responses, noise ceilings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from brainstruct.workflow.inputs import Inputs
from brainstruct.workflow.room import Room, Wildcards, file

SHARED = "shared"  # owner of the blocks of images that every subject saw
SHARED_IMAGES = 1000  # of the NSD, shown to all subjects
OWN_IMAGES = 9000  # of the NSD, shown to one subject only, by design


@dataclass(frozen=True)
class DataRoom(Room):
    """Names and choices; see `Room`."""

    inputs: Inputs

    nsd_check = file("nsd_check.json")  # list of the data set's files, once all are there
    stimuli = file("stimuli/{subject}.tsv")  # images that a subject saw, one row each
    block = file("stimuli/blocks/{block}.tsv")  # images of one embedding job
    responses = file("responses/{subject}.nc")  # betas, averaged over repetitions
    ceiling = file("ceilings/{subject}.nc")  # noise ceilings, beside voxels and regions
    cross_subject = file("ceilings/cross_subject/{subject}.nc")  # from other subjects

    def blocks_of(self, owner: str) -> list[str]:
        """Return the blocks of a subject's own images, or of the shared ones."""
        images = SHARED_IMAGES if owner == SHARED else OWN_IMAGES
        count = -(-images // self.study.data.images_per_block)
        return [f"{owner}-{index:03d}" for index in range(count)]

    @cached_property
    def blocks(self) -> list[str]:
        """All blocks of the study."""
        owners = [SHARED, *self.study.subjects]
        return [block for owner in owners for block in self.blocks_of(owner)]

    @cached_property
    def all_stimuli(self) -> list[str]:
        """Image lists of every subject and block."""
        return self.of_subjects(self.stimuli) + [self.block(block) for block in self.blocks]

    # What jobs get.

    @property
    def layout(self) -> dict[str, Any]:
        """Arguments of `brainstruct.datasets.nsd.layout.Layout`, for jobs."""
        return dict(self.inputs.layout.words)

    @property
    def image_layout(self) -> dict[str, Any]:
        """As `layout`, for jobs that read no responses: which they are is no matter to them."""
        return {name: self.layout[name] for name in ("nsd_root", "annotations")}

    def check(self) -> list[str]:
        """Return what jobs wait for where files are missing: its rule names all of them."""
        return self.inputs.check(self.nsd_check())

    def subject_files(self, wildcards: Wildcards) -> list[str]:
        """Betas, ncsnr and mask of the job's subject."""
        return self.inputs.subject(wildcards.subject)

    def region_files(self, wildcards: Wildcards) -> list[str]:
        """Families of regions of the job's subject."""
        return self.inputs.regions(wildcards.subject)

    def sessions(self, wildcards: Wildcards) -> int:
        """Sessions of the job's subject."""
        return self.inputs.sessions(wildcards.subject)

    def block_sessions(self, wildcards: Wildcards) -> int:
        """Sessions in which the images of a block were shown."""
        if wildcards.owner == SHARED:
            return self.inputs.longest
        return self.inputs.sessions(wildcards.owner)

    def betas_format(self, wildcards: Wildcards) -> str:
        """Format of the betas of the job's subject."""
        return self.inputs.found[wildcards.subject].format

    def other_subjects(self, wildcards: Wildcards) -> list[str]:
        """Every subject but the job's."""
        return [subject for subject in self.study.subjects if subject != wildcards.subject]

    def other_responses(self, wildcards: Wildcards) -> list[str]:
        """Responses of every subject but the job's."""
        return [self.responses(subject) for subject in self.other_subjects(wildcards)]

    def cross_subject_ceiling(self, wildcards: Wildcards) -> list[str]:
        """Cross-subject ceiling of the job's subject, if there are others."""
        return [self.cross_subject(wildcards.subject)] if len(self.study.subjects) > 1 else []

    @property
    def cross_subject_options(self) -> dict[str, Any]:
        """Options of the cross-subject ceiling."""
        return self.study.cross_subject.model_dump() | {"seed": self.study.seed}

    @property
    def families(self) -> list[str]:
        """The mask and the ROI families, in the order of figures."""
        return [self.study.data.mask, *self.study.data.rois]
