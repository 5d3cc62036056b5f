"""Which files of the data set a rule reads: names and existence, never content.

Evaluated while Snakemake builds its DAG. A file that is neither on disk nor
written by this workflow is left out of a rule's inputs; instead jobs of its
subject wait for ``check_data``, which names all missing files in one message. So
the DAG can be shown where the data are not, and other subjects' jobs go on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.datasets.interface import DataSet
from brainstruct.errors import InputError
from brainstruct.workflow.contents import Contents
from brainstruct.workflow.flat_source import (
    FlatSource,
    SurfaceSource,
    find_source,
    find_surfaces,
)
from brainstruct.workflow.places import Places


@dataclass(frozen=True)
class Inputs:
    """The files of the data set that a study reads."""

    study: Study
    _seen: dict[Path, bool] = field(default_factory=dict, compare=False)  # looked for

    @cached_property
    def contents(self) -> Contents:
        """What files that the workflow does not make hold."""
        return Contents(Places.of(self.study))

    @cached_property
    def dataset(self) -> DataSet:
        """The data set, which says what there is; as released where it has a hole, see `holes`."""
        return self.study.dataset.lenient()

    def settle(self) -> None:
        """Find out what there is of every subject; an `InputError` if the data set cannot say."""
        for subject in self.study.subjects:
            self.dataset.settings_for("betas", subject)

    @cached_property
    def holes(self) -> dict[str, list[str]]:
        """Subject -> where and what is wrong, and the cure, where sessions lack one amid them."""
        found = {}
        for subject in self.study.subjects:
            try:
                self.study.dataset.settings_for("betas", subject)
            except InputError as error:
                found[subject] = [error.where, error.fault, error.cure]
        return found

    def lists(self) -> list[str]:
        """Return what lists of stimuli and trials are made of."""
        return self._present(self.dataset.list_files())

    def stimuli(self, reads_captions: bool = False) -> list[str]:
        """Return what a model looks at: the images, or the captions."""
        return self._present(self.dataset.stimulus_files(reads_captions))

    def subject(self, subject: str) -> list[str]:
        """Return what the responses of a subject are made of."""
        return self._present(self.dataset.response_files(subject, self.study.data.mask))

    def regions(self, subject: str) -> list[str]:
        """Families of regions of a subject; they can change when responses do not."""
        return self._present(self.dataset.region_files(subject, self.study.data.rois))

    @cached_property
    def flat_sources(self) -> dict[str, FlatSource]:
        """On which cortex each subject's flatmaps are drawn."""
        return {
            subject: find_source(self.study.flatmaps, self.dataset, subject)
            for subject in self.study.subjects
        }

    @cached_property
    def surface_sources(self) -> dict[str, SurfaceSource]:
        """To which surfaces each subject's maps are exported."""
        flatmaps = self.study.flatmaps
        return {
            subject: find_surfaces(flat, self.dataset, subject, flatmaps)
            for subject, flat in self.flat_sources.items()
        }

    def grid(self, subject: str) -> list[str]:
        """Return what says where the voxels of a subject lie."""
        return self._present(self.dataset.grid_files(subject, self.study.data.mask))

    def flat_files(self, subjects: Iterable[str]) -> list[str]:
        """Surfaces and transforms of flatmaps, and the masks they are checked with."""
        files: list[str] = []
        for subject in subjects:
            found = self.flat_sources[subject]
            read = [*found.files, *found.optional]
            files += from_elsewhere(str(path) for path in read if self._exists(path))
            if found.source != "store":
                files += self.grid(subject)
        return files

    def contents_of(self, files: Iterable[str]) -> dict[str, str]:
        """Return what files of the data set hold; nothing of one that the workflow writes."""
        return {} if self.dataset.made_up else self.contents.of(files)

    def contents_of_regions(self, subject: str) -> dict[str, str]:
        """Return what families of regions of a subject hold, and tables that name them."""
        tables = self.dataset.label_files(subject, self.study.data.rois)
        return self.contents_of([*self.regions(subject), *map(str, tables)])

    def contents_of_cortices(self, subjects: Iterable[str]) -> dict[str, str]:
        """Return what the surfaces of flatmaps hold, and the masks they are checked with."""
        sources = self.flat_sources.values()
        stored = {str(path) for one in sources for path in (*one.files, *one.optional)}
        files = self.flat_files(subjects)
        ours = self.contents_of(file for file in files if file not in stored)
        return self.contents.of(file for file in files if file in stored) | ours

    def required(self) -> list[str]:
        """Every file the study needs, whether it is there or not."""
        return [str(file) for file in self.dataset.required(self.study.wanted)]

    @cached_property
    def missing(self) -> dict[str, list[Path]]:
        """Subject -> files that its jobs need and that are neither there nor to be written."""
        found = {}
        for subject in () if self.dataset.made_up else self.study.subjects:
            required = self.dataset.required(replace(self.study.wanted, subjects=[subject]))
            lacking = [file for file in required if not self._exists(file)]
            if lacking or subject in self.holes:
                found[subject] = lacking
        return found

    def said_of_missing(self) -> list[str]:
        """Say which subjects' jobs cannot run yet, and how to get what they lack."""
        lacking = [
            f"{subject} {len(files)} ({files[0]}{', ...' if len(files) > 1 else ''})"
            for subject, files in self.missing.items()
            if files and subject not in self.holes
        ]
        until = "Until then neither jobs of such a subject can run nor what joins all subjects"
        lines = [f"{subject}: {InputError(*hole)} {until}." for subject, hole in self.holes.items()]
        if lacking:
            cure = self.dataset.way_to_get_files
            lines.append(f"Files that are not there yet: {', '.join(lacking)}. {until}. {cure}.")
        return lines

    def has_responses(self, subject: str) -> bool:
        """Whether all is there, or to be written, that responses of a subject are made of."""
        files = self.dataset.response_files(subject, self.study.data.mask)
        return self.dataset.made_up or (
            subject not in self.holes and sum(map(self._exists, files)) == len(files)
        )

    def _present(self, files: Iterable[Path]) -> list[str]:
        if self.dataset.made_up:
            return list(map(str, files))
        return from_elsewhere(str(file) for file in files if self._exists(file))

    def _exists(self, file: Path) -> bool:
        # Once: every job parses anew, from disks that may be far, and one DAG has one answer.
        if file not in self._seen:
            self._seen[file] = file.exists()
        return self._seen[file]


def from_elsewhere(files: Iterable[str]) -> list[str]:
    """Mark files that the workflow does not make: their contents count, not their times."""
    from snakemake.io import ancient  # only rules need the marks, and they have Snakemake

    return [ancient(file) for file in files]
