"""Where the files of the NSD lie. Standard library only: imported while rules are parsed."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from brainstruct.datasets.nsd.sessions import (
    RELEASED_SESSIONS,
    SUFFIXES,
    BetaFormat,
    SessionFiles,
    Sessions,
)
from brainstruct.datasets.reading import Side
from brainstruct.errors import InputError

SUBJECTS: tuple[str, ...] = tuple(RELEASED_SESSIONS)

SHARED = "shared"
"""Image set, and test set, of the images that all subjects saw."""

COCO_SPLITS: tuple[str, ...] = ("train2017", "val2017")

BUCKET = "s3://natural-scenes-dataset"

TRANSFORM_SPACES: dict[str, str] = {"func1pt8mm": "func1pt8", "func1mm": "func1pt0"}
"""Functional preparation -> its name in the files of transforms."""

DEPTHS: tuple[str, ...] = ("layerB1", "layerB2", "layerB3")
"""Surfaces at a quarter, half and three quarters of the depth of the cortex."""


@dataclass(frozen=True)
class Layout:
    """Paths of one copy of the data set."""

    # Folder that mirrors the bucket: it holds ``nsddata``, ``nsddata_betas`` and
    # ``nsddata_stimuli``.
    nsd_root: Path
    # Functional preparation and version of the betas, names of folders.
    space: str = "func1pt8mm"
    betas: str = "betas_fithrf_GLMdenoise_RR"
    # Folder of the COCO captions, which are no part of the NSD. By default inside `nsd_root`,
    # beside the stimuli.
    annotations: Path | None = None

    @property
    def words(self) -> dict[str, str | None]:
        """The same in plain words, for provenance."""
        return {
            "nsd_root": str(self.nsd_root),
            "annotations": None if self.annotations is None else str(self.annotations),
            "space": self.space,
            "betas": self.betas,
        }

    @property
    def stimuli_file(self) -> Path:
        """All 73,000 images (HDF5, ``imgBrick``)."""
        return self._stimuli_folder / "nsd_stimuli.hdf5"

    @property
    def stim_info_file(self) -> Path:
        """The table of all images and where they come from (CSV)."""
        return self._experiment_folder / "nsd_stim_info_merged.csv"

    @property
    def expdesign_file(self) -> Path:
        """The order of the trials (MATLAB)."""
        return self._experiment_folder / "nsd_expdesign.mat"

    def captions_file(self, split: str) -> Path:
        """COCO captions of ``train2017`` or ``val2017`` (JSON)."""
        folder = self.annotations or self._stimuli_folder / "annotations"
        return folder / f"captions_{split}.json"

    def volume_folder(self, subject: str) -> Path:
        """Folder of the subject's volumes in this space."""
        return self._subject_folder(subject) / self.space

    def brainmask_file(self, subject: str) -> Path:
        """Mask outside which betas are zero (NIfTI)."""
        return self.volume_folder(subject) / "brainmask.nii.gz"

    def mean_file(self, subject: str) -> Path:
        """Mean functional image (NIfTI)."""
        return self.volume_folder(subject) / "mean.nii.gz"

    def roi_file(self, subject: str, name: str, hemisphere: Side | None = None) -> Path:
        """Volume of an ROI family, of both hemispheres or of one (NIfTI)."""
        prefix = f"{hemisphere}." if hemisphere else ""
        return self.volume_folder(subject) / "roi" / f"{prefix}{name}.nii.gz"

    def region_names(self, subjects: Iterable[str]) -> list[str]:
        """Names of the ROI families on disk, without those of one hemisphere."""
        files = (
            file.name.removesuffix(".nii.gz")
            for subject in subjects
            for file in (self.volume_folder(subject) / "roi").glob("*.nii.gz")
        )
        return sorted({name for name in files if not name.startswith(("lh.", "rh."))})

    def label_tables(self, subject: str, name: str) -> tuple[Path, ...]:
        """Files that may name the labels of an ROI family, best first."""
        check_subject(subject)
        freesurfer = self.nsd_root / "nsddata" / "freesurfer"
        return tuple(
            freesurfer / folder / "label" / f"{name}.mgz.ctab" for folder in (subject, "fsaverage")
        )

    def surface_file(self, subject: str, hemisphere: Side, name: str) -> Path:
        """File of the subject's cortical surface (FreeSurfer's formats)."""
        check_subject(subject)
        folder = self.nsd_root / "nsddata" / "freesurfer" / subject / "surf"
        return folder / f"{hemisphere}.{name}"

    def white_file(self, subject: str, hemisphere: Side) -> Path:
        """Border of the white matter: ``white``, or ``smoothwm`` where only that is there."""
        white = self.surface_file(subject, hemisphere, "white")
        smooth = self.surface_file(subject, hemisphere, "smoothwm")
        return smooth if smooth.is_file() and not white.is_file() else white

    def patch_file(self, subject: str, hemisphere: Side, patch: str) -> Path:
        """Flattened piece of the subject's cortical surface (FreeSurfer's format)."""
        return self.surface_file(subject, hemisphere, f"{patch}.flat.patch.3d")

    def transform_file(self, subject: str, hemisphere: Side, name: str) -> Path:
        """Where each vertex of a surface lies in another space (MGZ), ``SPACE-to-SURFACE``."""
        folder = self._subject_folder(subject) / "transforms"
        return folder / f"{hemisphere}.{name}.mgz"

    def depth_files(self, subject: str, hemisphere: Side) -> tuple[Path, ...]:
        """Where each vertex lies in this space, at the `DEPTHS` of the cortex (MGZ)."""
        space = TRANSFORM_SPACES[self.space]
        return tuple(
            self.transform_file(subject, hemisphere, f"{space}-to-{depth}") for depth in DEPTHS
        )

    def fsaverage_file(self, subject: str, hemisphere: Side) -> Path:
        """Which vertex of the subject belongs to each vertex of fsaverage (MGZ)."""
        return self.transform_file(subject, hemisphere, "white-to-fsaverage")

    def betas_folder(self, subject: str) -> Path:
        """Folder of the subject's betas."""
        check_subject(subject)
        return self.nsd_root / "nsddata_betas" / "ppdata" / subject / self.space / self.betas

    def betas_file(self, subject: str, session: int, fmt: BetaFormat) -> Path:
        """Betas of one session (numbered from 1)."""
        return self.betas_folder(subject) / f"betas_session{session:02d}{SUFFIXES[fmt]}"

    def ncsnr_file(self, subject: str) -> Path:
        """Noise-ceiling signal-to-noise ratio of every voxel (NIfTI)."""
        return self.betas_folder(subject) / "ncsnr.nii.gz"

    def discover_sessions(
        self, subject: str, fmt: BetaFormat | Literal["auto"] = "auto", wanted: int | None = None
    ) -> Sessions:
        """Find the subject's sessions by listing the folder of betas; see `SessionFiles.meant`.

        They are a prefix of the experiment: trials are assigned to images by their order, so
        a session can not be left out of the middle. An `InputError` if there is none, one is
        missing before the last, or there are fewer than `wanted`.
        """
        folder = self.betas_folder(subject)
        found = self.sessions_on_disk(subject)
        meant = found.meant(subject, fmt, wanted)
        there = found.numbers[meant.format]
        if not there:
            suffixes = SUFFIXES.values() if fmt == "auto" else [SUFFIXES[meant.format]]
            raise InputError(
                folder,
                f"holds no betas_sessionNN file ({' or '.join(suffixes)}) of {subject}",
                f"Download them from {self._bucket(folder)}, or set the data root, space and "
                "betas version of the configuration to where they are",
            )
        whole = found.whole(meant.format)
        if whole < meant.count:
            missing = self.betas_file(subject, whole + 1, meant.format)
            reason = (
                f"session {max(there)} is there, and trials are matched to images by order"
                if wanted is None
                else f"{wanted} sessions are wanted and {whole} are there without a hole"
            )
            raise InputError(
                missing,
                f"is missing although {reason}",
                f"Download it from {self._bucket(missing)}, or use the first {whole} sessions only "
                "(sessions in the configuration)",
            )
        return meant

    def sessions_on_disk(self, subject: str) -> SessionFiles:
        """Find the subject's sessions in the folder of betas, holes and all."""
        folder = self.betas_folder(subject)
        return SessionFiles.among(
            entry.name for entry in (folder.iterdir() if folder.is_dir() else ())
        )

    def in_bucket(self, path: Path) -> str:
        """Return the key of a file under `nsd_root` in the bucket of the data set."""
        return path.relative_to(self.nsd_root).as_posix()

    @property
    def _stimuli_folder(self) -> Path:
        return self.nsd_root / "nsddata_stimuli" / "stimuli" / "nsd"

    @property
    def _experiment_folder(self) -> Path:
        return self.nsd_root / "nsddata" / "experiments" / "nsd"

    def _subject_folder(self, subject: str) -> Path:
        check_subject(subject)
        return self.nsd_root / "nsddata" / "ppdata" / subject

    def _bucket(self, path: Path) -> str:
        return f"{BUCKET}/{self.in_bucket(path)}"


def check_subject(subject: str) -> None:
    """Refuse a name that is not ``subj01`` to ``subj08`` with an `InputError`."""
    if subject not in RELEASED_SESSIONS:
        raise InputError(
            "subjects", f"{subject!r} is no subject of the NSD", f"Use {', '.join(SUBJECTS)}"
        )
