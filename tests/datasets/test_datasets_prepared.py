"""Prepared responses, read in parts: whichever part it is, damage is named."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.datasets.prepared import images_tested, read_betas, read_responses
from brainstruct.errors import InputError
from brainstruct.store.arrays import write_dataset
from damage import change_text

IDS = [40, 7, 12, 3]
BETAS = np.arange(12, dtype=np.float32).reshape(4, 3)


@pytest.fixture
def write(tmp_path):
    def written(test_sets=("shared", "", "shared", ""), split=("test", "train", "test", "train")):
        dataset = xr.Dataset(
            {"betas": (("stimulus", "voxel"), BETAS)},
            coords={
                "stimulus": IDS,
                "split": ("stimulus", list(split)),
                "test_set": ("stimulus", list(test_sets)),
                "repetitions": ("stimulus", [3, 1, 2, 4]),
                "voxel": np.arange(3),
            },
        )
        write_dataset(dataset, tmp_path / "responses.nc", chunks={"betas": {"stimulus": 1}})
        return tmp_path / "responses.nc"

    return written


@pytest.fixture
def path(write):
    return write()


def test_the_images_asked_for_in_their_order(path):
    tested = images_tested(path)
    assert tested.images.tolist() == [40, 12]
    assert tested.repetitions.tolist() == [3, 2]
    betas = read_betas(path, np.array([3, 40]))
    assert betas["stimulus"].values.tolist() == [3, 40]
    assert betas.dims == ("stimulus", "voxel")
    np.testing.assert_array_equal(betas, BETAS[[3, 0]])


def test_what_is_fitted_and_what_is_scored(path):
    responses = read_responses(path)
    assert responses.test_set == images_tested(path).test_set == "shared"
    np.testing.assert_array_equal(responses.measured, BETAS[[1, 3]])
    np.testing.assert_array_equal(responses.truth, BETAS[[0, 2]])
    assert responses.tested.tolist() == [40, 12]
    assert responses.weights.tolist() == [0.4, 1.6]


@pytest.mark.parametrize("read", [read_responses, images_tested])
@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"test_sets": ["a", "", "b", ""]}, "a, b"),
        ({"test_sets": ["", "", "b", ""]}, "none, b"),
        ({"test_sets": [""] * 4, "split": ["train"] * 4}, "none"),
    ],
)
def test_one_test_set_is_scored(write, columns, named, read):
    with pytest.raises(InputError, match=f"nc: has the test sets: {named}; one test set is scored"):
        read(write(**columns))


def test_an_image_that_is_not_there_is_named(path):
    with pytest.raises(InputError, match=r"responses\.nc: lacks stimulus 9\. Delete"):
        read_betas(path, np.array([3, 9]))
    with pytest.raises(InputError, match="lacks stimulus 91, 92, 93 and 2 more"):
        read_betas(path, np.arange(91, 96))


def test_a_test_image_does_not_get_lost_by_a_flipped_bit(path):
    change_text(path, "test\0", "tesu\0")
    for read in (images_tested, lambda path: read_betas(path, np.array([12]))):
        with pytest.raises(InputError, match=r"responses\.nc: is damaged"):
            read(path)


def test_betas_that_are_read_are_verified(path):
    content = path.read_bytes()
    place = content.index(BETAS[1].tobytes())
    path.write_bytes(content[:place] + b"\1" + content[place + 1 :])
    np.testing.assert_array_equal(read_betas(path, images_tested(path).images), BETAS[[0, 2]])
    with pytest.raises(InputError, match=r"responses\.nc: is damaged"):
        read_betas(path, np.array([7]))
