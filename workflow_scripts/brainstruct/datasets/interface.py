"""What a data set answers: all that the workflow knows of one.

`DataSet` is what the configuration says of it, and answers while rules are
parsed: names, numbers and paths, without opening a file or importing a package
of a job. `brainstruct.datasets.reading.Reader` reads it, in jobs. Both in one module
of the author's own make a data set; ``docs/extending.md`` has one of less than a hundred lines.

Words: a *stimulus* has one id, a whole number from 0 that is the same for all
subjects. An *image set* is what is embedded: stimuli that some subjects saw, or
none. A *test set* is what encoding models are scored on. A *place* is where
responses are measured: a voxel, a vertex, a sensor; the dimension is ``voxel``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeAlias

from pydantic import ModelWrapValidatorHandler, model_validator

from brainstruct.datasets.reading import Reader, Side
from brainstruct.errors import Outcome
from brainstruct.settings.base import Block

Part: TypeAlias = Literal[
    "trials", "stimuli", "pixels", "captions", "betas", "regions", "places", "words"
]
"""What jobs read of a data set; `DataSet.settings_for` says what decides it."""


@dataclass(frozen=True)
class About:
    """What texts and exported files say of a data set; what is not known is empty."""

    name: str  # in full
    key: str  # in links of exported files
    doi: str = ""  # of the paper that describes it
    url: str = ""  # its pages
    files: str = ""  # where its files are
    task: str = "view"  # what its experiment is called in names of files (BIDS)
    image_edge: int = 224  # of a usual image, in pixels


@dataclass(frozen=True)
class Wanted:
    """What a study reads of a data set."""

    subjects: Sequence[str]
    mask: str  # name of the mask: places that are analysed
    families: Sequence[str]  # families of regions
    pixels: bool  # whether a model sees images
    captions: bool  # whether a model reads captions


@dataclass(frozen=True)
class HemisphereFiles:
    """Half a cortex in FreeSurfer's formats, and where its vertices lie in the volumes."""

    side: Side
    white: Path
    pial: Path
    inflated: Path
    curv: Path
    patch: Path  # the flattened piece
    depths: tuple[Path, ...]  # where vertices lie, at some depths of the cortex
    average: Path  # vertex of the subject for each vertex of fsaverage

    @property
    def surfaces(self) -> tuple[Path, ...]:
        """What a flatmap is made of, but for the place in the volumes."""
        return self.white, self.pial, self.inflated, self.curv, self.patch


class DataSet(Block, ABC):
    """A data set as configured; its fields are its settings."""

    about: ClassVar[About]  # what texts say of it
    # Folder of what exported files and the methods say of it alone, see `text`.
    texts: ClassVar[Path | None] = None
    # Part -> number of what reading it gives, which rises when the same files are read as
    # something else (see `brainstruct.workflow.formats`): jobs that read it run again. A data
    # set in a file of one's own needs none: its digest stands for it.
    formats: ClassVar[Mapping[Part, int]] = {}
    origin: ClassVar[str] = ""  # what the configuration calls it: whoever opens it sets this,
    code: ClassVar[str] = ""  # and the digest of a file of one's own
    id_name: ClassVar[str] = "stimulus"  # column of a stimulus' id in tables for people
    # Columns of its own that `Reader.stimuli` has, and lists of images keep.
    own_columns: ClassVar[tuple[str, ...]] = ()
    # Where places lie: in a volume, with a grid, or where no map can show them.
    lie: ClassVar[Literal["volume", "nowhere"]] = "nowhere"

    @model_validator(mode="wrap")
    @classmethod
    def _open(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Make of the settings that a job got the data set that they name."""
        if cls is DataSet and isinstance(given, Mapping):
            from brainstruct.datasets.opening import open_dataset  # which imports this module

            # What a job got was settled when rules were parsed: it does not look again.
            found: Any = open_dataset(given).lenient()
            return handler(found)
        return handler(given)

    # Who and what.

    @property
    @abstractmethod
    def subjects(self) -> tuple[str, ...]:
        """All subjects; names become part of file names."""

    @abstractmethod
    def image_sets(self, subjects: Sequence[str]) -> dict[str, int]:
        """Return the image sets that subjects saw, and how many images each has by design.

        The first is one that all subjects saw, if there is one. Names are letters and
        digits. Numbers do not depend on what is on disk: blocks are cut from them.
        """

    @abstractmethod
    def image_sets_of(self, subject: str) -> list[str]:
        """Return the image sets that hold all that a subject saw."""

    def text(self, name: str) -> Path | None:
        """Return a file of `texts`, if there is one.

        ``data_set.md``: what the methods say of it, macros like those of `methods/template`.
        ``spaces.md``, ``licence.md``: of the read-me of exported files.
        """
        found = self.texts / name if self.texts else None
        return found if found and found.is_file() else None

    def participant(self, subject: str) -> str:
        """Return the label of a subject in names of exported files: letters and digits."""
        return "".join(filter(str.isalnum, subject))

    @property
    def volume_space(self) -> str:
        """What the volumes lie in is called in names of exported files: letters and digits."""
        return "native"

    @property
    def made_up(self) -> bool:
        """Whether the workflow writes the data set before it is read."""
        return False

    def lenient(self) -> Self:
        """Return the data set as released, for those who ask what is missing of it."""
        return self

    # Files, whether they are there or not. A data set without files of its own has none.

    @property
    def root(self) -> str:
        """Where its files are, for messages."""
        return self.about.name

    @property
    def places(self) -> dict[str, str | None]:
        """Settings that say where files lie: moved files are the same data set."""
        return {}

    @property
    def way_to_get_files(self) -> str:
        """How missing files are got, for messages."""
        return "Get them, or correct the settings of the data set"

    def list_files(self) -> list[Path]:
        """Return what lists of stimuli and trials are made of."""
        return []

    def stimulus_files(self, captions: bool) -> list[Path]:
        """Return what holds the pixels of stimuli, or the captions."""
        return []

    def response_files(self, subject: str, mask: str) -> list[Path]:
        """Return what responses of a subject are made of."""
        return []

    def region_files(self, subject: str, families: Sequence[str]) -> list[Path]:
        """Return what holds families of regions of a subject."""
        return []

    def region_names(self, subjects: Sequence[str]) -> list[str]:
        """Return names that masks and regions may have, where some are on disk; else none."""
        return []

    def label_files(self, subject: str, families: Sequence[str]) -> list[Path]:
        """Return tables that may name the labels of regions, whether they are there or not."""
        return []

    def grid_files(self, subject: str, mask: str) -> list[Path]:
        """Return what says where the voxels of a subject lie."""
        return []

    def cortex_files(self, subject: str, patch: str) -> tuple[HemisphereFiles, ...]:
        """Return the cortex of a subject, left and right; empty if the data set has none."""
        return ()

    def required(self, wanted: Wanted) -> list[Path]:
        """Return every file that a study needs."""
        files = self.list_files()
        for captions, read in ((False, wanted.pixels), (True, wanted.captions)):
            files += [file for file in self.stimulus_files(captions) if read and file not in files]
        for subject in wanted.subjects:
            files += self.response_files(subject, wanted.mask)
            files += self.region_files(subject, wanted.families)
        return files

    # What jobs get, and what it depends on.

    def settings_for(
        self, part: Part, name: str = "", subjects: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return the settings that decide what jobs read of a part, as plain values.

        `name` is a subject (of ``trials``, ``betas`` and ``places``) or an image set
        (of ``stimuli``), `subjects` are the study's. `DataSet.model_validate` makes
        a data set of them. What changes here makes jobs run again.
        """
        return {"dataset": self.origin, "code": self.code} | self.model_dump(mode="json")

    @abstractmethod
    def reader(self) -> Reader:
        """Open it, in a job."""

    def examine(self, wanted: Wanted, pool: Executor) -> list[Outcome]:
        """Look at everything a study reads, headers only; for the doctor."""
        return []

    # For plans: what is expected, before anything is read.

    def expected_images(self, image_set: str, subjects: Sequence[str]) -> int:
        """Return the number of images of a set that were shown."""
        return self.image_sets(subjects)[image_set]

    def expected_tests(self, subject: str) -> int:
        """Return the number of images that a subject is tested on."""
        return 0

    def expected_places(self, subject: str, mask: str) -> int:
        """Return the number of places in a mask; 0: nobody knows."""
        return 0

    def expected_bytes(self, file: Path) -> int:
        """Return the size of a file of the data set."""
        return 1_000_000
