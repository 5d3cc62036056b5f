"""The scripts that fit, on files as the workflow hands them over."""

from __future__ import annotations

import errno
import inspect
import os
import tempfile
import threading
from importlib import import_module

import numpy as np
import pytest
import torch
import xarray as xr

from brainstruct.config.encoding import Alignment, FitSettings
from brainstruct.encoding import ridge
from brainstruct.encoding.fitting import choose_backend
from brainstruct.encoding.permutation import PermutationTest
from brainstruct.encoding.stacking import SCORES, stack_fits
from brainstruct.errors import InputError
from brainstruct.store.arrays import provenance, read_dataset, write_dataset
from damage import change_text
from fit_ridge import fit_ridge
from gpu_stand_in import stand_in
from predict_selected import predict_selected
from solvers import fit_oota2025

LAYERS = (0, 3, 4)
TRAIN, TEST = 90, 40

DEFAULT = {
    "preset": None,
    "alphas": {"log10_min": 0, "log10_max": 4, "count": 5},
    "folds": 3,
    "alpha_score": "l2_neg_loss",
    "solver": "gram",
    "permutations": 80,
}
PRESET = {"preset": "oota2025", "permutations": 80}


@pytest.fixture
def files(tmp_path):
    """Responses, and embeddings in a block of own and one of shared images."""
    rng = np.random.default_rng(0)
    ids = rng.permutation(5000)[: TRAIN + TEST]
    X = rng.standard_normal((len(LAYERS), ids.size, 12)).astype(np.float32) * 2 + 1
    drive = [X[v % 3] @ rng.standard_normal(12) for v in range(9)]
    Y = np.stack(drive, axis=1) + 4 * rng.standard_normal((ids.size, 9)) + 2
    responses = xr.Dataset(
        {"betas": (("stimulus", "voxel"), Y.astype(np.float32))},
        coords={
            "stimulus": ids,
            "split": ("stimulus", ["train"] * TRAIN + ["test"] * TEST),
            "test_set": ("stimulus", [""] * TRAIN + ["shared"] * TEST),
            "repetitions": ("stimulus", [1, 3] * ((TRAIN + TEST) // 2)),
            "voxel": np.arange(9),
        },
    )
    write_dataset(responses, tmp_path / "responses.nc", provenance={})
    embeddings = []
    for name, rows in (("own", slice(0, TRAIN)), ("shared", slice(TRAIN, None))):
        block = xr.Dataset(
            {"embedding": (("layer", "stimulus", "feature"), X[:, rows])},
            coords={"layer": list(LAYERS), "stimulus": ids[rows], "feature": np.arange(12)},
        )
        embeddings.append(tmp_path / f"{name}.nc")
        write_dataset(block, embeddings[-1], provenance={})
    inputs = {"responses": tmp_path / "responses.nc", "embeddings": embeddings}
    return inputs, X, Y.astype(np.float32)


def fit(tmp_path, inputs, encoding, backend="auto", *, staged=False):
    fits = [tmp_path / f"layer-{layer}.nc" for layer in LAYERS]
    fit_ridge(
        **inputs,
        encoding=FitSettings(**encoding),
        seed=5,
        instruction="IC",
        targets_per_batch=4,
        backend=backend,
        staged=staged,
        threads=1,
        gpus=0,
        code="x",
        fits=fits,
        prediction=tmp_path / "prediction.nc",
    )
    return [read_dataset(path) for path in fits], read_dataset(tmp_path / "prediction.nc")


def test_preset_reaches_the_fit(tmp_path, files):
    inputs, X, Y = files
    fits, _ = fit(tmp_path, inputs, PRESET)
    for found, layer in zip(fits, X, strict=True):
        expected = fit_oota2025(layer[:TRAIN], Y[:TRAIN], layer[TRAIN:], Y[TRAIN:])
        np.testing.assert_allclose(found["alpha"], expected.alpha)
        np.testing.assert_allclose(found["r"], expected.r, atol=1e-6)
        test = PermutationTest(Y[TRAIN:], n_permutations=80, seed=5)
        np.testing.assert_allclose(found["p"], test.p(expected.prediction))
        np.testing.assert_allclose(found["p_fwe"], test.test(expected.prediction).p_fwe)
        assert found.attrs["n_permutations"] == 80
        assert found.attrs["test_set"] == "shared"


@pytest.mark.parametrize(
    ("wanted", "gpus", "there", "expected"),
    [
        ("auto", 1, True, "torch_cuda"),
        ("auto", 1, False, "torch"),
        ("auto", 0, True, "torch"),  # one that it does not hold is another job's
        ("torch", 1, True, "torch"),
        ("numpy", 1, True, "numpy"),
    ],
)
def test_the_job_decides_what_computes(wanted, gpus, there, expected, monkeypatch, caplog):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    torch.set_float32_matmul_precision("medium")
    assert choose_backend(wanted, gpus) == expected
    held_in_vain = (wanted, gpus, there) == ("auto", 1, False)
    assert ("asked for a GPU" in caplog.text) == held_in_vain
    assert torch.get_float32_matmul_precision() == "highest"


def test_what_computes_is_recorded_and_no_part_of_what_a_fit_is(tmp_path, files):
    one, other = (
        fit(tmp_path, files[0], DEFAULT, backend=name)[0][0] for name in ("auto", "numpy")
    )
    assert (one.attrs["backend"], other.attrs["backend"]) == ("torch", "numpy")
    assert provenance(one) == provenance(other)
    for name in SCORES:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "backend",
    [
        "stand-in",
        pytest.param(
            "torch_cuda",
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
        ),
    ],
)
def test_a_gpu_decomposes_the_next_layer_while_it_fits_this_one(
    tmp_path, files, backend, monkeypatch
):
    here, kept = fit(tmp_path, files[0], DEFAULT, backend="torch")
    if backend == "stand-in":
        stand_in(monkeypatch)
    decomposed = [threading.Event() for _ in LAYERS]
    order, decompose = iter(decomposed), ridge.decompose_all
    search, fitted = ridge.search_alphas, iter(decomposed[1:])

    def decompose_aside(*arguments):
        assert threading.current_thread() is not threading.main_thread()
        found = decompose(*arguments)
        next(order).set()
        return found

    def search_once_it_is_known(*arguments, **options):
        upcoming = next(fitted, None)  # whoever decomposes after fitting keeps it waiting
        assert upcoming is None or upcoming.wait(60)
        return search(*arguments, **options)

    monkeypatch.setattr(ridge, "decompose_all", decompose_aside)
    monkeypatch.setattr(ridge, "search_alphas", search_once_it_is_known)
    there, kept_there = fit(tmp_path, files[0], DEFAULT, backend="torch_cuda")
    for one, other in zip(here, there, strict=True):
        assert other.attrs["backend"] == "torch_cuda"
        for name in SCORES:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(kept["prediction"], kept_there["prediction"], atol=2e-3)


def test_a_cpu_decomposes_a_layer_when_its_turn_comes(tmp_path, files, monkeypatch):
    """It has no idle half, and another decomposition's memory would be held besides."""
    decompose, threads = ridge.decompose_all, set()

    def watched(*arguments):
        threads.add(threading.current_thread())
        return decompose(*arguments)

    monkeypatch.setattr(ridge, "decompose_all", watched)
    fit(tmp_path, files[0], DEFAULT, backend="torch")
    assert threads == {threading.main_thread()}


def test_permutations_can_be_turned_off(tmp_path, files):
    fits, _ = fit(tmp_path, files[0], DEFAULT | {"permutations": 0})
    assert fits[0]["p"].isnull().all()
    assert fits[0].attrs["n_permutations"] == 0
    assert fits[0]["r"].notnull().all()


def test_staged_embeddings_change_no_byte_and_leave_nothing(tmp_path, files, monkeypatch, caplog):
    caplog.set_level("INFO", logger="brainstruct")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    inputs, outputs = files[0], []
    for staged, room in ((False, True), (True, True), (True, False)):
        if not room:
            monkeypatch.setattr(os, "posix_fallocate", no_room)
        fits, _ = fit(tmp_path, inputs, DEFAULT, staged=staged)
        write_dataset(stack_fits(fits, ["IC"], LAYERS), tmp_path / "scores.nc", provenance={})
        predict_selected(
            **inputs,
            staged=staged,
            scores=tmp_path / "scores.nc",
            preset=None,
            weights=None,
            instruction="IC",
            code="x",
            prediction=tmp_path / "again.nc",
        )
        names = [*(f"layer-{layer}.nc" for layer in LAYERS), "prediction.nc", "again.nc"]
        outputs.append([(tmp_path / name).read_bytes() for name in names])
    assert outputs[0] == outputs[1] == outputs[2]
    assert list((tmp_path / "scratch").iterdir()) == []
    assert caplog.text.count("2 files were copied to") == 2  # by both jobs, and no other time
    assert caplog.text.count("No space left on device") == 2


def no_room(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("encoding", [DEFAULT, PRESET, DEFAULT | {"weights": "repetitions"}])
def test_selected_layers_fitted_once_more_predict_the_same(tmp_path, files, encoding):
    """Whether one job fits all layers or many do, comparisons see the same predictions."""
    inputs = files[0]
    fits, kept = fit(tmp_path, inputs, encoding)
    scores = stack_fits(fits, ["IC"], LAYERS)
    assert {*SCORES, "layer_low", "layer_high"} == set(scores.data_vars)
    write_dataset(scores, tmp_path / "scores.nc", provenance={})
    predict_selected(
        **inputs,
        staged=False,
        scores=tmp_path / "scores.nc",
        preset=encoding["preset"],
        weights=encoding.get("weights"),
        instruction="IC",
        code="x",
        prediction=tmp_path / "again.nc",
    )
    again = read_dataset(tmp_path / "again.nc")
    assert kept["layer"].values.tolist() == [LAYERS[v % 3] for v in range(9)]
    for name in ("layer", "stimulus", "voxel"):
        np.testing.assert_array_equal(again[name], kept[name])
    assert again.attrs["test_set"] == kept.attrs["test_set"] == "shared"
    np.testing.assert_allclose(again["intercept"], kept["intercept"], rtol=1e-6)
    np.testing.assert_allclose(again["prediction"], kept["prediction"], atol=1e-2, rtol=2e-3)


@pytest.mark.parametrize("rule", ["estimate_ceiling", "estimate_cross_subject", "compare"])
def test_no_rule_drops_a_test_image_whose_mark_is_damaged(tmp_path, rule):
    whole = xr.Dataset(
        {
            "betas": (("stimulus", "voxel"), np.zeros((4, 2), np.float32)),
            "roi_label": (("roi", "voxel"), np.zeros((1, 2), np.int16)),
        },
        coords={
            "stimulus": [5, 1, 2, 9],
            "split": ("stimulus", ["train", "test", "test", "test"]),
            "test_set": ("stimulus", ["", "shared", "shared", "shared"]),
            "repetitions": ("stimulus", [3, 3, 3, 3]),
            "voxel": [0, 1],
            "ncsnr": ("voxel", [0.5, 0.6]),
            "roi": ["V1"],
        },
    )
    path, other = tmp_path / "responses.nc", tmp_path / "other.nc"
    write_dataset(whole, path)
    write_dataset(whole, other)
    change_text(path, "test\0", "tesu\0")
    given = {
        "responses": path,
        "target": path,
        "sources": [other],
        "ceiling": other,
        "predictions": [],
        "subject": "subj01",
        "others": ["subj02"],
        "alignment": Alignment(),
        "groups": {},
    }
    function = getattr(import_module(rule), rule)
    asked = {name: given.get(name) for name in inspect.signature(function).parameters}
    with pytest.raises(InputError, match=r"responses\.nc: is damaged"):
        function(**asked)
