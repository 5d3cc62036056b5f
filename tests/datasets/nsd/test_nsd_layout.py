from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.nsd.layout import SUBJECTS, Layout
from brainstruct.datasets.nsd.sessions import RELEASED_SESSIONS, BetaFormat, SessionFiles, Sessions
from brainstruct.errors import InputError


def place(layout: Layout, fmt: BetaFormat, numbers: Iterable[int]) -> None:
    for number in numbers:
        path = layout.betas_file("subj05", number, fmt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def test_paths_are_those_of_the_bucket() -> None:
    layout = Layout(Path("/data"))
    betas = "nsddata_betas/ppdata/subj01/func1pt8mm/betas_fithrf_GLMdenoise_RR"
    volumes = "nsddata/ppdata/subj01/func1pt8mm"
    expected = {
        layout.stimuli_file: "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5",
        layout.stim_info_file: "nsddata/experiments/nsd/nsd_stim_info_merged.csv",
        layout.expdesign_file: "nsddata/experiments/nsd/nsd_expdesign.mat",
        layout.captions_file("val2017"): (
            "nsddata_stimuli/stimuli/nsd/annotations/captions_val2017.json"
        ),
        layout.brainmask_file("subj01"): f"{volumes}/brainmask.nii.gz",
        layout.roi_file("subj01", "floc-faces"): f"{volumes}/roi/floc-faces.nii.gz",
        layout.roi_file("subj01", "streams", "lh"): f"{volumes}/roi/lh.streams.nii.gz",
        layout.betas_file("subj01", 3, "hdf5"): f"{betas}/betas_session03.hdf5",
        layout.betas_file("subj01", 40, "nifti"): f"{betas}/betas_session40.nii.gz",
        layout.ncsnr_file("subj01"): f"{betas}/ncsnr.nii.gz",
    }
    assert {path: path.relative_to("/data").as_posix() for path in expected} == expected


def test_label_tables_prefer_the_subject() -> None:
    own, average = Layout(Path("/d")).label_tables("subj02", "floc-words")
    assert own == Path("/d/nsddata/freesurfer/subj02/label/floc-words.mgz.ctab")
    assert average == Path("/d/nsddata/freesurfer/fsaverage/label/floc-words.mgz.ctab")


def test_annotations_can_lie_elsewhere() -> None:
    layout = Layout(Path("/d"), annotations=Path("/coco"))
    assert layout.captions_file("train2017") == Path("/coco/captions_train2017.json")


def test_space_and_betas_are_folders() -> None:
    layout = Layout(Path("/d"), space="func1mm", betas="betas_assumehrf")
    assert layout.betas_folder("subj02") == Path(
        "/d/nsddata_betas/ppdata/subj02/func1mm/betas_assumehrf"
    )
    assert layout.volume_folder("subj02") == Path("/d/nsddata/ppdata/subj02/func1mm")


@pytest.mark.parametrize("subject", ["subj00", "subj09", "subj1", "Subj01", ""])
def test_unknown_subjects_are_refused(layout: Layout, subject: str) -> None:
    with pytest.raises(InputError, match="no subject of the NSD"):
        layout.discover_sessions(subject)
    with pytest.raises(InputError, match="no subject of the NSD"):
        layout.roi_file(subject, "streams")


def test_sessions_are_found_by_listing(layout: Layout) -> None:
    place(layout, "hdf5", [1, 2, 3])
    assert layout.discover_sessions("subj05") == Sessions(3, "hdf5")
    assert layout.discover_sessions("subj05").numbers == (1, 2, 3)


def test_other_files_are_no_sessions(layout: Layout) -> None:
    place(layout, "hdf5", [1])
    folder = layout.betas_folder("subj05")
    for name in ("betas_session02.hdf5.part", "lh.betas_session02.hdf5", "R2_session02.nii.gz"):
        (folder / name).touch()
    assert layout.discover_sessions("subj05") == Sessions(1, "hdf5")


def test_auto_takes_the_more_complete_format_and_hdf5_on_a_tie(layout: Layout) -> None:
    place(layout, "nifti", [1, 2, 3])
    place(layout, "hdf5", [1, 2])
    assert layout.discover_sessions("subj05") == Sessions(3, "nifti")
    assert layout.discover_sessions("subj05", "hdf5") == Sessions(2, "hdf5")
    place(layout, "hdf5", [3])
    assert layout.discover_sessions("subj05") == Sessions(3, "hdf5")


def test_a_hole_names_the_missing_file(layout: Layout) -> None:
    place(layout, "hdf5", [1, 2, 4, 5])
    with pytest.raises(InputError, match="first 2 sessions only") as caught:
        layout.discover_sessions("subj05")
    assert caught.value.where == str(layout.betas_file("subj05", 3, "hdf5"))
    assert "session 5 is there" in caught.value.fault


def test_a_missing_first_session_is_a_hole(layout: Layout) -> None:
    place(layout, "nifti", [2])
    with pytest.raises(InputError) as caught:
        layout.discover_sessions("subj05")
    assert caught.value.where == str(layout.betas_file("subj05", 1, "nifti"))


def test_no_session_at_all_names_the_folder(layout: Layout) -> None:
    with pytest.raises(InputError, match="holds no betas_sessionNN file") as caught:
        layout.discover_sessions("subj05")
    assert caught.value.where == str(layout.betas_folder("subj05"))


def test_wanted_sessions_are_a_prefix(layout: Layout) -> None:
    place(layout, "hdf5", [1, 2, 4])
    assert layout.discover_sessions("subj05", wanted=2) == Sessions(2, "hdf5")
    with pytest.raises(InputError, match="3 sessions are wanted and 2 are there") as caught:
        layout.discover_sessions("subj05", wanted=3)
    assert caught.value.where == str(layout.betas_file("subj05", 3, "hdf5"))


def test_the_table_of_releases_is_complete() -> None:
    assert list(SUBJECTS) == [f"subj{number:02d}" for number in range(1, 9)]
    assert list(RELEASED_SESSIONS.values()) == [40, 40, 32, 30, 40, 32, 40, 30]


def test_what_parsing_imports_needs_no_package_of_a_job() -> None:
    script = (
        "import sys, brainstruct.datasets.nsd.dataset;"
        "heavy = {'numpy', 'pandas', 'xarray', 'h5py', 'nibabel', 'torch'} & set(sys.modules);"
        "sys.exit(f'imports {heavy}' if heavy else 0)"
    )
    source = Path(__file__).parents[3] / "workflow_scripts"
    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONPATH": str(source)})


def test_sessions_that_are_meant_may_be_missing(layout: Layout) -> None:
    there = layout.sessions_on_disk("subj05")
    assert not there
    assert there.meant("subj05", "auto", None) == Sessions(40, "hdf5")
    place(layout, "nifti", [1, 2, 4])
    there = layout.sessions_on_disk("subj05")
    assert there
    assert there.whole("nifti") == 2
    assert there.meant("subj05", "auto", None) == Sessions(4, "nifti")
    assert there.meant("subj05", "auto", 7) == Sessions(7, "nifti")
    assert there.meant("subj05", "hdf5", None) == Sessions(40, "hdf5")


def test_names_in_other_folders_are_no_sessions() -> None:
    found = SessionFiles.among(["betas_session01.hdf5", "other/betas_session02.hdf5"])
    assert found.numbers == {"hdf5": {1}, "nifti": set()}


def test_a_data_set_s_settings_decide_its_paths() -> None:
    dataset = Nsd(nsd_root="/d", space="func1mm", betas="b2", annotations="/a")
    assert dataset.layout == Layout(Path("/d"), "func1mm", "b2", Path("/a"))
    assert Nsd(nsd_root="/d").layout.space == "func1pt8mm"
    assert dataset.lenient().model_dump() == dataset.model_dump()
