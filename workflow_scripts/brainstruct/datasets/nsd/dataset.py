"""The Natural Scenes Dataset, as the workflow knows it. Opens no file but folders, for sessions."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from brainstruct.datasets.interface import About, DataSet, HemisphereFiles, Part, Wanted
from brainstruct.datasets.nsd import expected
from brainstruct.datasets.nsd.labels import DISTRIBUTED
from brainstruct.datasets.nsd.layout import BUCKET, COCO_SPLITS, SHARED, SUBJECTS, Layout
from brainstruct.datasets.nsd.numbers import IMAGE_SIZE, N_OWN, N_SHARED
from brainstruct.datasets.nsd.sessions import RELEASED_SESSIONS, Sessions
from brainstruct.datasets.nsd.settings import DECIDE, NsdSettings, number_of
from brainstruct.datasets.nsd.synthetic.settings import Written
from brainstruct.datasets.reading import SIDES, Reader
from brainstruct.errors import InputError, Outcome

_ROOM = "brainstruct.datasets.nsd"


class Nsd(NsdSettings, DataSet):
    """The NSD on disk, or a data set in its formats that the workflow writes."""

    about: ClassVar[About] = About(
        name="Natural Scenes Dataset",
        key="nsd",
        doi="10.1038/s41593-021-00962-x",
        url="https://naturalscenesdataset.org",
        files=BUCKET,
        task="nsdcore",
        image_edge=IMAGE_SIZE,
    )
    id_name: ClassVar[str] = "nsd_id"
    own_columns: ClassVar[tuple[str, ...]] = ("coco_id", "coco_split")
    lie: ClassVar[Literal["volume", "nowhere"]] = "volume"
    texts: ClassVar[Path | None] = Path(__file__).parent / "texts"
    formats: ClassVar[Mapping[Part, int]] = {
        "trials": 1,
        "stimuli": 1,
        "pixels": 1,
        "captions": 1,
        "betas": 1,
        "regions": 1,
        "places": 1,
    }
    origin: ClassVar[str] = "nsd"

    written: Written | None = Field(default=None, exclude=True)  # what the workflow writes
    # Whether it is taken as released where its sessions have a hole.
    released: bool = Field(default=False, exclude=True)

    @cached_property
    def layout(self) -> Layout:
        """Paths inside the data set."""
        return Layout(
            nsd_root=Path(self.nsd_root),
            space=self.space,
            betas=self.betas,
            annotations=Path(self.annotations) if self.annotations else None,
        )

    @property
    def subjects(self) -> tuple[str, ...]:
        """``subj01`` to ``subj08``."""
        return SUBJECTS

    def image_sets(self, subjects: Sequence[str]) -> dict[str, int]:
        """Return the images that all subjects saw, and those that each saw alone."""
        return {SHARED: N_SHARED} | dict.fromkeys(subjects, N_OWN)

    def image_sets_of(self, subject: str) -> list[str]:
        """Return the subject's own images and the shared ones."""
        return [subject, SHARED]

    def participant(self, subject: str) -> str:
        """Return ``01`` for ``subj01``."""
        return subject.removeprefix("subj")

    @property
    def volume_space(self) -> str:
        """The functional preparation."""
        return self.space

    @property
    def made_up(self) -> bool:
        """Whether the workflow writes the data set before it is read."""
        return self.written is not None

    def lenient(self) -> Self:
        """Return the data set as released where its sessions have a hole."""
        return self._changed(released=True)

    def to_be_written(self, written: Written) -> Self:
        """Return the data set that the workflow writes in this place."""
        return self._changed(written=written)

    def _changed(self, **update: Any) -> Self:
        changed = self.model_copy(update=update)
        changed.__dict__.pop("_found", None)  # what was found holds for this one
        return changed

    @cached_property
    def _found(self) -> dict[str, Sessions]:
        return {}

    def sessions_read(self, subject: str) -> Sessions:
        """Return the sessions of a subject that are read, and the format of their files.

        How many: as configured, as written by the workflow, as on disk, or, where
        nothing is on disk yet, as released. An `InputError` if sessions on disk have a hole,
        or fewer are there than configured (unless `released`).
        """
        if subject not in self._found:  # one look at the disk, and one answer
            self._found[subject] = self._find(subject)
        return self._found[subject]

    def _find(self, subject: str) -> Sessions:
        wanted = self.sessions_of(subject)
        if self.written is not None:
            form = self.written.formats[0] if self.format == "auto" else self.format
            return Sessions(wanted or self.written.sessions[subject], form)
        if self.layout.betas_folder(subject).is_dir():
            try:
                return self.layout.discover_sessions(subject, self.format, wanted)
            except InputError:
                if not self.released:
                    raise
        form = "hdf5" if self.format == "auto" else self.format
        return Sessions(wanted or RELEASED_SESSIONS[subject], form)

    def ncsnr_sessions_of(self, subject: str) -> int:
        """Return how many sessions a subject's ncsnr was made of; the disk does not say."""
        made = RELEASED_SESSIONS if self.written is None else self.written.sessions
        return number_of(self.ncsnr_sessions, subject) or made[subject]

    def sessions_of_images(self, image_set: str, subjects: Sequence[str]) -> int:
        """Return the number of sessions in which the images of a set were shown to anybody."""
        owners = subjects if image_set == SHARED else [image_set]
        return max(self.sessions_read(subject).count for subject in owners)

    # Files.

    @property
    def root(self) -> str:
        """Folder of the data set."""
        return self.nsd_root

    @property
    def places(self) -> dict[str, str | None]:
        """Return the folders of the NSD and of captions."""
        return {"nsd_root": self.nsd_root, "annotations": self.annotations}

    @property
    def way_to_get_files(self) -> str:
        """How to download them."""
        return (
            "Set data.nsd_root to your copy of the Natural Scenes Dataset, or get the files: "
            "accept the terms at naturalscenesdataset.org, then `make fetch_nsd CONFIG=YOUR.yaml` "
            f"or for each path `aws s3 cp --no-sign-request {BUCKET}/PATH {self.nsd_root}/PATH`; "
            "the COCO captions are in annotations_trainval2017.zip of cocodataset.org"
        )

    def list_files(self) -> list[Path]:
        """Return the experiment's design and the table of images."""
        return [self.layout.expdesign_file, self.layout.stim_info_file]

    def stimulus_files(self, captions: bool) -> list[Path]:
        """Return the file of all images; or captions, and the table that says whose they are."""
        if captions:
            return [*self._captions, self.layout.stim_info_file]
        return [self.layout.stimuli_file]

    @property
    def _captions(self) -> list[Path]:
        return [self.layout.captions_file(split) for split in COCO_SPLITS]

    def response_files(self, subject: str, mask: str) -> list[Path]:
        """Return betas, ncsnr and mask of a subject."""
        layout, sessions = self.layout, self.sessions_read(subject)
        betas = [
            layout.betas_file(subject, session, sessions.format) for session in sessions.numbers
        ]
        return [*betas, layout.ncsnr_file(subject), layout.roi_file(subject, mask)]

    def region_files(self, subject: str, families: Sequence[str]) -> list[Path]:
        """Return families of regions of a subject; they can change when responses do not."""
        return [self.layout.roi_file(subject, name) for name in families]

    def region_names(self, subjects: Sequence[str]) -> list[str]:
        """Return names on disk, and those that the NSD has: they may still be fetched."""
        there = self.layout.region_names(subjects)
        return sorted({*there, *DISTRIBUTED}) if there else []

    def label_files(self, subject: str, families: Sequence[str]) -> list[Path]:
        """Return FreeSurfer's tables of label names, the subject's own and fsaverage's."""
        return [path for name in families for path in self.layout.label_tables(subject, name)]

    def grid_files(self, subject: str, mask: str) -> list[Path]:
        """Return the mask, whose header says where voxels lie."""
        return [self.layout.roi_file(subject, mask)]

    def cortex_files(self, subject: str, patch: str) -> tuple[HemisphereFiles, ...]:
        """Return FreeSurfer's surfaces of a subject, with a patch of that name."""
        layout = self.layout
        return tuple(
            HemisphereFiles(
                side,
                white=layout.white_file(subject, side),
                pial=layout.surface_file(subject, side, "pial"),
                inflated=layout.surface_file(subject, side, "inflated"),
                curv=layout.surface_file(subject, side, "curv"),
                patch=layout.patch_file(subject, side, patch),
                depths=layout.depth_files(subject, side),
                average=layout.fsaverage_file(subject, side),
            )
            for side in SIDES
        )

    def subject_files(self, subject: str, mask: str, families: Sequence[str]) -> list[Path]:
        """Return all that the workflow writes of a subject."""
        return [*self.response_files(subject, mask), *self.region_files(subject, families)]

    def written_lists(self) -> list[Path]:
        """Return what the workflow writes for all subjects together."""
        return [*self.list_files(), self.layout.stimuli_file, *self._captions]

    # What jobs get.

    def settings_for(
        self, part: Part, name: str = "", subjects: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return the settings that decide what is read; see `DataSet.settings_for`."""
        said = {"dataset": self.origin, **self.model_dump(include=DECIDE[part])}
        if part in ("trials", "betas"):
            said["sessions"] = self.sessions_read(name).count
        if part == "betas":
            said["format"] = self.sessions_read(name).format
            said["ncsnr_sessions"] = self.ncsnr_sessions_of(name)
        if part == "words":
            said["nsd_root"] = ""  # where the files lie is no matter to texts
        if part == "stimuli":
            said["sessions"] = self.sessions_of_images(name, subjects)
        return said

    def reader(self) -> Reader:
        """Open it; only now are packages imported that read arrays."""
        found: Reader = import_module(f"{_ROOM}.reader").NsdReader(self)
        return found

    def examine(self, wanted: Wanted, pool: Executor) -> list[Outcome]:
        """Look at design, images, captions, and each subject's volumes."""
        found: list[Outcome] = import_module(f"{_ROOM}.doctor").examine(self, wanted, pool)
        return found

    # For plans.

    def expected_images(self, image_set: str, subjects: Sequence[str]) -> int:
        """Return the number of images of a set that were shown; see `expected.n_images`."""
        sessions = self.sessions_of_images(image_set, subjects)
        return expected.n_images(self.written, sessions, shared=image_set == SHARED)

    def expected_tests(self, subject: str) -> int:
        """Return the number of shared images that a subject saw."""
        return self.expected_images(SHARED, [subject])

    def expected_places(self, subject: str, mask: str) -> int:
        """Return the number of voxels of a mask."""
        return expected.n_voxels(subject, mask, self.space, self.written)

    def expected_bytes(self, file: Path) -> int:
        """Return the size of a file."""
        return expected.n_bytes(file, self.space, self.written)
