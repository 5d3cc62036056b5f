from __future__ import annotations

import errno
import logging
import os
from contextlib import contextmanager
from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
import torch
import xarray as xr

from brainstruct.errors import InputError
from brainstruct.jobs import run as jobs
from brainstruct.jobs.marking import ending_of
from brainstruct.jobs.run import log, run_job
from brainstruct.store import arrays, publishing
from fake_job import Named, fake_job


@pytest.fixture
def job(tmp_path):
    config = {"results": str(tmp_path)}
    outputs = {"fits": ["a", "b"]}
    yield fake_job("fit_ridge", tmp_path / "deep" / "x.log", output=outputs, config=config)
    log.handlers.clear()
    logging.captureWarnings(False)


def lines(job):
    with open(job.log[0], encoding="utf-8") as handle:  # noqa: PTH123
        return handle.read().splitlines()


def test_log_ends_with_what_was_written(job):
    run_job(lambda *, fits: log.info("half way to %s", fits), job)
    assert "half way" in lines(job)[1]
    assert "wrote a and 1 more" in lines(job)[-1]


def test_input_errors_are_one_line_without_traceback(job):
    def fail(*, fits):
        raise InputError("x.nii.gz", "has 3 voxels", "Give it 4")

    with pytest.raises(SystemExit) as stop:
        run_job(fail, job)
    assert stop.value.code == 1
    assert lines(job)[-1].endswith("x.nii.gz: has 3 voxels. Give it 4.")
    assert not any("Traceback" in line for line in lines(job))


def test_memory_that_runs_out_is_one_line_with_a_cure(job):
    def fail(*, fits):
        np.empty(1 << 60, dtype=np.uint8)

    with pytest.raises(SystemExit):
        run_job(fail, job)
    assert "out of memory: Unable to allocate" in lines(job)[-1]
    assert "mem_mb" in lines(job)[-1]
    assert not any("Traceback" in line for line in lines(job))


def test_defects_are_logged_in_full(job):
    def fail(*, fits):
        raise ZeroDivisionError("here")

    with pytest.raises(ZeroDivisionError):
        run_job(fail, job)
    assert any("Traceback" in line for line in lines(job))
    assert lines(job)[-1] == "ZeroDivisionError: here"


@pytest.mark.parametrize("publish", [publishing.publish, publishing.publish_folder])
def test_a_defect_amid_a_write_ends_the_job(job, tmp_path, publish):
    """Finding out what kind of error it is must come to an end as well."""

    def fail(*, fits):
        with publish(tmp_path / "x"):
            raise RuntimeError("here")

    with pytest.raises(RuntimeError, match="here"):
        run_job(fail, job)
    assert lines(job)[-1] == "RuntimeError: here"


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (InputError("/tmp/locks", "is another user's", "Set TMPDIR"), "Set TMPDIR."),
        (ImportError("no torch here"), "ImportError: no torch here"),
    ],
    ids=["input", "defect"],
)
def test_what_goes_wrong_before_the_work_is_in_the_log(job, monkeypatch, error, last):
    @contextmanager
    def hold(wanted):
        raise error
        yield

    monkeypatch.setattr(jobs, "hold_gpus", hold)
    with pytest.raises((SystemExit, ImportError)):
        run_job(lambda *, fits: pytest.fail("ran"), job)
    assert lines(job)[-1].endswith(last)


def test_an_input_damaged_amid_the_work_is_named(job, tmp_path):
    for name in ("good.nc", "bad.nc"):
        values = np.arange(1.0, 2001.0)
        arrays.write_dataset(
            xr.Dataset({"a": ("x", values)}, {"x": np.arange(2000)}), tmp_path / name
        )
    content = bytearray((tmp_path / "bad.nc").read_bytes())
    content[content.index(values[-5:].tobytes())] ^= 1
    (tmp_path / "bad.nc").write_bytes(content)
    (tmp_path / "notes.txt").touch()
    paths = [str(tmp_path / "notes.txt"), *map(str, sorted(tmp_path.glob("*.nc")))]
    job.input = Named({"": paths})

    def work(*, fits):
        with arrays.open_dataset(tmp_path / "bad.nc") as lazy:
            lazy["a"].isel(x=[0]).values  # noqa: B018 - read

    with pytest.raises(SystemExit):
        run_job(work, job)
    assert "bad.nc: is damaged" in lines(job)[-1]
    assert not any("Traceback" in line for line in lines(job))
    job.input = Named({"": [str(tmp_path / "good.nc")]})
    with pytest.raises(OSError, match="read"):
        run_job(work, job)
    assert any("Traceback" in line for line in lines(job))


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EMFILE, errno.EIO, errno.EACCES])
def test_trouble_of_the_machine_amid_the_work_is_one_line(job, tmp_path, number):
    """Whoever met it: it is neither a defect nor damage."""
    arrays.write_dataset(xr.Dataset({"a": ("x", [1.0])}, {"x": [0]}), tmp_path / "a.nc")
    job.input = Named({"": [str(tmp_path / "a.nc")]})

    def fail(*, fits):
        raise OSError(number, os.strerror(number), "/somewhere/file")

    with pytest.raises(SystemExit):
        run_job(fail, job)
    assert f"({os.strerror(number)}). " in lines(job)[-1]
    assert "/somewhere/file: " in lines(job)[-1]
    assert "snakemake" not in lines(job)[-1]


def test_an_input_that_goes_amid_the_work_is_named(job, tmp_path):
    gone = tmp_path / "gone.json"
    job.input = Named({"": [str(tmp_path / "here.json"), str(gone)]})
    (tmp_path / "here.json").touch()

    with pytest.raises(SystemExit):
        run_job(lambda *, fits: gone.read_text(), job)
    assert "gone.json: has gone while it was needed" in lines(job)[-1]
    assert not any("Traceback" in line for line in lines(job))


def test_a_second_attempt_keeps_the_first_one_s_log(job):
    run_job(lambda *, fits: log.info("first"), job)
    run_job(lambda *, fits: log.info("second"), job)
    text = "\n".join(lines(job))
    assert "first" in text
    assert "second" in text
    assert text.count("second") == 1


SCRIPT = """
from brainstruct.jobs.run import log, script

@script
def work(*, fits):
    log.info("the script runs")
"""


def test_a_script_runs_in_a_job_alone(job, tmp_path):
    path = tmp_path / "work.py"
    path.write_text(SCRIPT)
    run_path(str(path), run_name="imported")
    assert not Path(job.log[0]).exists()
    run_path(str(path), {"snakemake": job}, run_name="__main__")
    assert "the script runs" in "\n".join(lines(job))


def test_troubles_of_a_gpu_are_one_line(job):
    def fail(*, fits):
        raise RuntimeError("CUDA error: no kernel image is available for execution\nCompile with")

    with pytest.raises(SystemExit):
        run_job(fail, job)
    assert "fit_ridge: the GPU is one that this PyTorch has no code for" in lines(job)[-1]
    assert not any("Traceback" in line for line in lines(job))


@pytest.mark.parametrize(
    ("error", "ending", "said"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), "error",
         "the GPU has too little memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `x`"), "error",
         "the GPU has too little memory"),
        (MemoryError("Unable to allocate 8.00 EiB"), "memory", "resources: mem_mb"),
    ],
    ids=["GPU", "its libraries", "main memory"],
)  # fmt: skip
def test_memory_of_a_gpu_is_not_what_a_rule_asks_for(job, error, ending, said):
    """Sent again with more main memory, a job would run out of the GPU's again."""

    def fail(*, fits):
        raise error

    with pytest.raises(SystemExit):
        run_job(fail, job)
    assert said in lines(job)[-1]
    assert ("mem_mb" in lines(job)[-1]) == (ending == "memory")
    assert ending_of(error, clear=True) == ending
