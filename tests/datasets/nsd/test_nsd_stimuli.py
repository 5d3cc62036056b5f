from __future__ import annotations

from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from small_study import Study

from brainstruct.datasets.nsd import numbers
from brainstruct.datasets.nsd.design import trial_nsd_ids
from brainstruct.datasets.nsd.stimuli import StimulusReader, read_stim_info
from brainstruct.errors import InputError
from brainstruct.store.tables import read_table, write_table

COLUMNS = ("nsd_id", "split", "test_set", "repetitions", "trials", "coco_id", "coco_split")


@pytest.fixture(scope="module")
def csv(study: Study) -> pd.DataFrame:
    return pd.read_csv(study.layout.stim_info_file, index_col=0)


def reread(table: pd.DataFrame, study: Study, folder: Path) -> pd.DataFrame:
    path = folder / "info.csv"
    table.to_csv(path)
    return read_stim_info(path, study.design)


@pytest.mark.parametrize("subject", ["subj01", "subj03"])
def test_index_lists_every_trial_once(study: Study, subject: str) -> None:
    index = study.index(subject)
    shown = trial_nsd_ids(study.design, subject, {"subj01": 2, "subj03": 1}[subject])
    assert tuple(index.columns) == COLUMNS
    assert index["nsd_id"].is_monotonic_increasing
    assert dict(zip(index["nsd_id"], index["repetitions"], strict=True)) == Counter(shown.tolist())
    seen = np.full(shown.size, -1)
    for nsd_id, trials in zip(index["nsd_id"], index["trials"], strict=True):
        seen[[int(trial) for trial in trials.split(",")]] = nsd_id
    np.testing.assert_array_equal(seen, shown)


def test_index_splits_by_shared_images(study: Study) -> None:
    index = study.index("subj01")
    assert index["split"].value_counts().to_dict() == {"train": 400, "test": 100}
    assert set(index.loc[index["split"] == "test", "nsd_id"]) <= set(study.design.shared)
    assert (index["repetitions"] == 3).all()
    assert set(study.index("subj03")["repetitions"]) == {1, 2, 3}


def test_index_names_the_source_of_each_image(study: Study, csv: pd.DataFrame) -> None:
    index = study.index("subj03")
    source = csv.set_index("nsdId").loc[index["nsd_id"]]
    np.testing.assert_array_equal(index["coco_id"], source["cocoId"])
    np.testing.assert_array_equal(index["coco_split"], source["cocoSplit"])


def test_index_survives_a_table_on_disk(study: Study, tmp_path: Path) -> None:
    index = study.index("subj03")
    write_table(index, tmp_path / "index.tsv")
    again = read_table(tmp_path / "index.tsv", COLUMNS, dtype={"trials": str})
    pd.testing.assert_frame_equal(again, index, check_dtype=False)


def test_table_is_in_the_order_of_nsd_id(study: Study) -> None:
    assert study.info.dtypes[["nsd_id", "coco_id", "shared"]].tolist() == [int, int, bool]
    np.testing.assert_array_equal(study.info["nsd_id"], np.arange(numbers.N_IMAGES))
    np.testing.assert_array_equal(np.flatnonzero(study.info["shared"]), study.design.shared)


def test_trials_off_by_one_are_noticed(study: Study, csv: pd.DataFrame, tmp_path: Path) -> None:
    names = [f"subject1_rep{rep}" for rep in range(3)]
    spoiled = csv.copy()
    spoiled[names] = spoiled[names].where(spoiled[names] == 0, spoiled[names] - 1)
    with pytest.raises(InputError, match="10000 images of subj01 other trials"):
        reread(spoiled, study, tmp_path)


def test_image_numbers_off_by_one_are_noticed(
    study: Study, csv: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="row 0 is not the image"):
        reread(csv.assign(nsdId=csv["nsdId"] + 1), study, tmp_path)


def test_shared_images_must_agree(study: Study, csv: pd.DataFrame, tmp_path: Path) -> None:
    shifted = np.roll(csv["shared1000"].to_numpy(), 1)
    with pytest.raises(InputError, match="marks 1000 images as shared1000"):
        reread(csv.assign(shared1000=shifted), study, tmp_path)


def test_incomplete_tables_are_refused(study: Study, csv: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="72999 rows instead of 73000"):
        reread(csv.iloc[:-1], study, tmp_path)
    with pytest.raises(InputError, match="lacks the columns cocoId"):
        reread(csv.drop(columns="cocoId"), study, tmp_path)
    with pytest.raises(InputError, match="unknown COCO splits"):
        reread(csv.assign(cocoSplit="test2017"), study, tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        read_stim_info(tmp_path / "none.csv", study.design)


def test_a_table_without_trials_passes(study: Study, csv: pd.DataFrame, tmp_path: Path) -> None:
    bare = csv[["cocoId", "cocoSplit", "nsdId", "shared1000"]]
    pd.testing.assert_frame_equal(reread(bare, study, tmp_path), study.info)


def test_images_are_read_by_nsd_id(study: Study) -> None:
    nsd_id = int(study.index("subj01")["nsd_id"].iloc[7])
    with h5py.File(study.layout.stimuli_file) as file:
        expected = file["imgBrick"][nsd_id]
    with StimulusReader(study.layout.stimuli_file) as reader:
        assert reader.size == (24, 24)
        np.testing.assert_array_equal(reader.array(nsd_id), expected)
        image = reader.image(nsd_id)
        assert isinstance(image, Image.Image)
        assert image.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(image), expected)


def test_images_never_written_are_refused(study: Study) -> None:
    shown = set(study.index("subj01")["nsd_id"]) | set(study.index("subj03")["nsd_id"])
    never = next(nsd_id for nsd_id in range(numbers.N_IMAGES) if nsd_id not in shown)
    with StimulusReader(study.layout.stimuli_file) as reader:
        with pytest.raises(InputError, match=f"nsd_id {never} is blank"):
            reader.array(never)
        for beyond in (-1, numbers.N_IMAGES):  # of a list that somebody edited
            with pytest.raises(InputError, match=rf"0 to 72999, and a list names {beyond}\. Del"):
                reader.array(beyond)


def brick(
    path: Path, shape: tuple[int, ...], dtype: type = np.uint8, name: str = "imgBrick"
) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset(name, shape=shape, dtype=dtype, chunks=(1, *shape[1:]))
    return path


def test_a_wrong_number_of_images_names_both(tmp_path: Path) -> None:
    path = brick(tmp_path / "s.hdf5", (72_999, 4, 4, 3))
    with pytest.raises(InputError, match="72999 images instead of 73000"):
        StimulusReader(path)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((73_000, 3, 4, 4), np.uint8), ((73_000, 4, 4, 3), np.float32), ((73_000, 4, 4), np.uint8)],
)
def test_other_shapes_and_types_are_refused(
    tmp_path: Path, shape: tuple[int, ...], dtype: type
) -> None:
    with pytest.raises(InputError, match=r"instead of (uint8|4 dimensions)"):
        StimulusReader(brick(tmp_path / "s.hdf5", shape, dtype))


def test_unreadable_files_are_refused(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        StimulusReader(tmp_path / "none.hdf5")
    with pytest.raises(InputError, match="no data set imgBrick"):
        StimulusReader(brick(tmp_path / "other.hdf5", (73_000, 4, 4, 3), name="images"))
    content = study.layout.stimuli_file.read_bytes()
    (tmp_path / "cut.hdf5").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="no HDF5 file"):
        StimulusReader(tmp_path / "cut.hdf5")
