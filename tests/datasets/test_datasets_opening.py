"""A data set is found by its name, and a job opens what was settled while rules were parsed."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from toy import Toy

from brainstruct.config.files import read_config
from brainstruct.config.loading import load_study
from brainstruct.datasets.interface import DataSet, Part
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.datasets.opening import class_of, open_dataset
from brainstruct.errors import InputError

OWN = Path(__file__).with_name("toy.py")


@pytest.fixture
def own(tmp_path) -> Path:
    """A file with a data set of one's own that has a setting."""
    text = OWN.read_text(encoding="utf-8")
    path = tmp_path / "own.py"
    path.write_text(
        text.replace("    about: ClassVar", "    noise: float = 0.5\n    about: ClassVar")
    )
    return path


def study_of(path: Path, **settings):
    config = read_config()
    config["subjects"] = ["anna"]
    config["data"] |= {"dataset": f"{path}:Toy", "settings": settings, "mask": "all"}
    return load_study(config)


def test_the_nsd_comes_along():
    assert class_of("nsd") is Nsd
    assert open_dataset({"dataset": "nsd", "nsd_root": "root"}) == Nsd(nsd_root="root")


def test_a_file_of_one_s_own_is_found_with_its_settings(own):
    study = study_of(own, noise=2)
    assert study.dataset.noise == 2.0
    assert study.dataset.image_sets(["anna"]) == {"both": 10, "anna": 20}
    assert not study.dataset.made_up


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nds", "'nds' is no data set. Write nsd, or FILE.py:CLASS"),
        ("faces.py", "'faces.py' is no data set"),
        ("faces.py:", "'faces.py:' is no data set"),
        ("gone.py:Faces", "gone.py: does not exist"),
    ],
)
def test_what_is_no_data_set_is_named(name, message):
    with pytest.raises(InputError, match=message):
        class_of(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0", "cannot be run .ZeroDivisionError: division by zero"),
        ("", "has no class Toy that is a brainstruct.datasets.interface.DataSet"),
        ("Toy = int", "has no class Toy"),
    ],
)
def test_a_file_without_a_data_set_is_named(tmp_path, text, message):
    (tmp_path / "own.py").write_text(text)
    with pytest.raises(InputError, match=rf"own\.py: {message}"):
        class_of(f"{tmp_path}/own.py:Toy")


def test_settings_that_do_not_suit_are_named(own):
    with pytest.raises(InputError, match=r"data\.settings\.nois: unknown key"):
        study_of(own, nois=1)
    with pytest.raises(InputError, match=r"data\.settings\.noise: must be a number, not"):
        study_of(own, noise="loud")
    config = read_config()
    config["data"]["settings"] = {"noise": 1}
    with pytest.raises(InputError, match="settings: are those of a data set of your own"):
        load_study(config)


def test_unknown_subjects_are_named_with_those_there_are(own):
    config = read_config()
    config["subjects"] = ["subj01"]
    config["data"] |= {"dataset": f"{own}:Toy", "mask": "all"}
    with pytest.raises(InputError, match="subjects: unknown name 'subj01'; there are anna, bo"):
        load_study(config)


def test_a_job_opens_the_data_set_of_its_settings(own):
    dataset = study_of(own, noise=3).dataset
    said = dataset.settings_for("betas", "anna")
    assert said["noise"] == 3.0
    again = DataSet.model_validate(said)
    assert type(again).__name__ == "Toy"
    assert again.noise == 3.0


def test_an_edited_file_is_another_data_set(own):
    before = study_of(own).dataset.settings_for("pixels")
    own.write_text(own.read_text() + "\n# edited\n")
    class_of.cache_clear()  # as in the next run
    after = study_of(own).dataset.settings_for("pixels")
    assert before["code"] != after["code"]
    assert before | {"code": ""} == after | {"code": ""}


@pytest.mark.parametrize(
    ("part", "name", "decides"),
    [
        ("trials", "subj01", {"sessions": 3}),
        ("stimuli", "subj01", {"sessions": 3}),
        ("stimuli", "shared", {"sessions": 5}),
        ("pixels", "", {}),
        ("captions", "", {"annotations": None}),
        (
            "betas",
            "subj01",
            {
                "space": "func1mm",
                "betas": "b2",
                "sessions": 3,
                "format": "hdf5",
                "ncsnr_sessions": 40,
            },
        ),
        ("regions", "", {"space": "func1mm", "betas": "b2"}),
        ("places", "", {"space": "func1mm", "betas": "b2"}),
    ],
)
def test_of_the_nsd_a_job_is_told_what_decides_its_part(tmp_path, part, name, decides):
    dataset = Nsd(
        nsd_root=str(tmp_path),
        space="func1mm",
        betas="b2",
        sessions={"subj01": 3, "subj02": 5},
    )
    said = dataset.settings_for(part, name, ["subj01", "subj02"])
    where = {"dataset": "nsd", "nsd_root": str(tmp_path)}
    assert said == where | decides
    assert isinstance(DataSet.model_validate(said), Nsd)


def test_texts_do_not_depend_on_where_the_files_are():
    one, other = (Nsd(nsd_root=root).settings_for("words") for root in ("here", "there"))
    assert one == other


def test_a_job_that_reads_captions_is_told_where_they_lie_and_no_other():
    dataset = Nsd(nsd_root="root", annotations="captions")
    told = {
        part for part in get_args(Part) if "annotations" in dataset.settings_for(part, "subj01")
    }
    assert told == {"captions"}
    assert DataSet.model_validate(dataset.settings_for("captions")).layout == dataset.layout


def test_every_part_of_the_nsd_that_is_read_has_a_number():
    assert Nsd.formats.keys() == set(get_args(Part)) - {"words"}  # texts say what settings are


def test_a_data_set_that_says_nothing_of_amounts_leaves_them_open():
    toy = Toy()
    assert toy.expected_images("both", ["anna"]) == 10
    assert (toy.expected_tests("anna"), toy.expected_places("anna", "all")) == (0, 0)
