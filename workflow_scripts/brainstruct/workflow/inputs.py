"""Which files of the NSD a rule reads: names and existence, never content.

Evaluated while Snakemake builds its DAG. A file that is neither on disk nor
written by this workflow is left out of a rule's inputs; instead the rule waits
for ``check_nsd``, which names all missing files in one message. So the DAG can
be shown where the data are not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.datasets.nsd.layout import COCO_SPLITS, Layout
from brainstruct.datasets.nsd.sessions import RELEASED_SESSIONS, Sessions
from brainstruct.errors import InputError
from brainstruct.workflow.flat_source import (
    FlatSource,
    SurfaceSource,
    find_source,
    find_surfaces,
)


@dataclass(frozen=True)
class Inputs:
    """The files of the data set that a study reads.

    `tolerant` takes the data set as released where its sessions have a hole: for
    targets that say, or mend, what is missing.
    """

    study: Study
    tolerant: bool = False
    _seen: dict[Path, bool] = field(default_factory=dict, compare=False)  # looked for

    @cached_property
    def layout(self) -> Layout:
        """Paths inside the data set."""
        data = self.study.data
        return Layout(
            nsd_root=Path(data.nsd_root),
            space=data.space,
            betas=data.betas,
            annotations=Path(data.annotations) if data.annotations else None,
        )

    @cached_property
    def found(self) -> dict[str, Sessions]:
        """Sessions of every subject read or written, and the format of their files.

        How many: as configured, as written by this workflow, as on disk, or, where
        nothing is on disk yet, as released.

        Raises
        ------
        InputError
            If sessions on disk have a hole, or fewer are there than configured
            (unless `tolerant`).
        """
        written = self.study.synthetic.sessions if self.study.synthetic else {}
        names = dict.fromkeys([*self.study.subjects, *written])
        return {subject: self._find(subject) for subject in names}

    def sessions(self, subject: str) -> int:
        """Return the number of sessions that are read."""
        return self.found[subject].count

    @cached_property
    def longest(self) -> int:
        """Most sessions of any subject; decides which shared images were shown."""
        return max(self.sessions(subject) for subject in self.study.subjects)

    def design(self) -> list[str]:
        """Experimental design and stimulus table."""
        return self._present([self.layout.expdesign_file, self.layout.stim_info_file])

    def stimuli(self, reads_captions: bool = False) -> list[str]:
        """Return what a model looks at: the images, or the captions."""
        if reads_captions:
            return self._present([*self._captions, self.layout.stim_info_file])
        return self._present([self.layout.stimuli_file])

    def subject(self, subject: str) -> list[str]:
        """Betas, ncsnr and mask of a subject: what its responses are made of."""
        return self._present(self._response_files(subject))

    def regions(self, subject: str) -> list[str]:
        """Families of regions of a subject; they can change when responses do not."""
        return self._present(self._region_files(subject))

    @cached_property
    def flat_sources(self) -> dict[str, FlatSource]:
        """On which cortex each subject's flatmaps are drawn."""
        return {
            subject: find_source(self.study.flatmaps, self.layout, subject)
            for subject in self.study.subjects
        }

    @cached_property
    def surface_sources(self) -> dict[str, SurfaceSource]:
        """To which surfaces each subject's maps are exported."""
        flatmaps = self.study.flatmaps
        return {
            subject: find_surfaces(flat, self.layout, subject, flatmaps)
            for subject, flat in self.flat_sources.items()
        }

    def mask(self, subject: str) -> list[str]:
        """Mask of a subject, whose header says where voxels lie."""
        return self._present([self.layout.roi_file(subject, self.study.data.mask)])

    def flat_files(self) -> list[str]:
        """Surfaces and transforms of all flatmaps, and the masks they are checked with."""
        files: list[str] = []
        for subject, found in self.flat_sources.items():
            files += [str(path) for path in found.files if self._exists(path)]
            if found.source != "store":
                files += self.mask(subject)
        return files

    def required(self) -> list[str]:
        """Every file the study needs, whether it is there or not."""
        files = [self.layout.expdesign_file, self.layout.stim_info_file]
        if any(not model.reads_captions for model in self.study.models):
            files.append(self.layout.stimuli_file)
        if any(model.reads_captions for model in self.study.models):
            files += self._captions
        for subject in self.study.subjects:
            files += self._subject_files(subject)
        return [str(file) for file in files]

    def check(self, target: str) -> list[str]:
        """Return `target` if a required file is neither on disk nor going to be written."""
        return [] if self._complete else [target]

    def written(self, subject: str) -> list[str]:
        """Files of a synthetic subject."""
        return [str(path) for path in self._subject_files(subject)]

    def written_stimuli(self) -> list[str]:
        """Files of the synthetic stimuli and design, shared by all subjects."""
        layout = self.layout
        shared = [layout.expdesign_file, layout.stim_info_file, layout.stimuli_file]
        return [str(path) for path in [*shared, *self._captions]]

    @property
    def _captions(self) -> list[Path]:
        return [self.layout.captions_file(split) for split in COCO_SPLITS]

    def _find(self, subject: str) -> Sessions:
        data, synthetic = self.study.data, self.study.synthetic
        wanted = data.sessions_of(subject)
        if synthetic is not None:
            form = synthetic.formats[0] if data.format == "auto" else data.format
            return Sessions(wanted or synthetic.sessions[subject], form)
        if self.layout.betas_folder(subject).is_dir():
            try:
                return self.layout.discover_sessions(subject, data.format, wanted)
            except InputError:
                if not self.tolerant:
                    raise
        form = "hdf5" if data.format == "auto" else data.format
        return Sessions(wanted or RELEASED_SESSIONS[subject], form)

    def _subject_files(self, subject: str) -> list[Path]:
        return [*self._response_files(subject), *self._region_files(subject)]

    def _response_files(self, subject: str) -> list[Path]:
        layout, data = self.layout, self.study.data
        sessions = self.found[subject]
        betas = [
            layout.betas_file(subject, session, sessions.format)
            for session in range(1, sessions.count + 1)
        ]
        return [*betas, layout.ncsnr_file(subject), layout.roi_file(subject, data.mask)]

    def _region_files(self, subject: str) -> list[Path]:
        return [self.layout.roi_file(subject, name) for name in self.study.data.rois]

    @cached_property
    def _complete(self) -> bool:
        """Whether every required file is there, or going to be written."""
        required = self.required()
        return len(self._present([Path(name) for name in required])) == len(required)

    def _present(self, files: list[Path]) -> list[str]:
        written = self.study.synthetic is not None
        return [str(file) for file in files if written or self._exists(file)]

    def _exists(self, file: Path) -> bool:
        # Once: every job parses anew, from disks that may be far, and one DAG has one answer.
        if file not in self._seen:
            self._seen[file] = file.exists()
        return self._seen[file]
