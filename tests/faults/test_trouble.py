"""Trouble that begins when a job's work does: too little memory; inputs cut, gone, or slow.

Each ends in one clear error and leaves nothing half made, or ends well; a plain
rerun then has what an undisturbed run has.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from checkout import SMALL, Checkout, Done

from brainstruct.store.arrays import read_dataset

pytestmark = pytest.mark.study

RESPONSES = "results/small/responses/subj01.nc"
EMBEDDING = "results/small/embeddings/clip-text/none/shared-000.nc"
FIT = "results/small/fits/subj01/clip-text/none/layer-0.nc"

NSD = "resources/small/nsd"
BETAS = f"{NSD}/nsddata_betas/ppdata/subj01/func1pt8mm/betas_fithrf_GLMdenoise_RR"
BETAS = f"{BETAS}/betas_session01.hdf5"
WEIGHTS = "resources/small/checkpoints/clip/model.safetensors"


def troubled(checkout: Checkout, trouble: list[str], *arguments: str) -> Done:
    """Run Snakemake with what `inject/trouble.py` makes of some lines."""
    inject = str(Path(__file__).parent / "inject")
    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "BRAINSTRUCT_TROUBLE")}
    os.environ |= {"PYTHONPATH": inject, "BRAINSTRUCT_TROUBLE": "\n".join(trouble)}
    try:
        return checkout.snakemake("--keep-going", *arguments, *SMALL)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def errors(checkout: Checkout, log: str) -> list[str]:
    """Lines of a job's log since its last start that say what went wrong."""
    lines = (checkout.root / "results/small/logs" / log).read_text().splitlines()
    starts = [place for place, line in enumerate(lines) if "thread(s), job local" in line]
    return [line for line in lines[starts[-1] + 1 :] if " INFO " not in line]


def rid_of(checkout: Checkout, *names: str) -> dict[str, object]:
    """Delete results; return what they were."""
    were = {name: read_dataset(checkout.root / name) for name in names}
    for name in names:
        (checkout.root / name).unlink()
    return were


def half_made(checkout: Checkout, *names: str) -> list[Path]:
    """What is there of results that were not made."""
    paths = [checkout.root / name for name in names]
    return [found for path in paths for found in path.parent.glob(f"*{path.name}*")]


def test_jobs_that_get_too_little_memory(edited):
    """A limit on address space (ulimit -v), too narrow for three jobs."""
    names = (RESPONSES, EMBEDDING, FIT)
    were = rid_of(edited, *names)
    rooms = [f"prepare_responses room {1 << 20}", f"embed room {8 << 20}"]
    texts = troubled(edited, rooms, RESPONSES, EMBEDDING).text
    lines = errors(edited, "prepare_responses/subj01.log")
    lines += errors(edited, "embed/clip-text/none/shared-000.log")
    assert half_made(edited, RESPONSES, EMBEDDING) == []
    edited.run(RESPONSES, EMBEDDING, *SMALL)
    # So much that scipy's copy of OpenBLAS would find none after numpy's has.
    texts += troubled(edited, [f"fit_ridge room {60 << 20}"], FIT).text
    lines += errors(edited, "fit_ridge/subj01/clip-text/none/0-2.log")
    assert half_made(edited, FIT) == []
    assert len(lines) == 3, lines
    for line in lines:
        assert "out of memory: " in line
        assert "mem_mb" in line
    assert "Traceback" not in texts
    edited.run(FIT, *SMALL)
    for name, was in were.items():
        assert read_dataset(edited.root / name).identical(was), name


@pytest.mark.parametrize("kind", ["vanish", "cut"])
def test_inputs_that_are_spoilt_after_the_plan_was_made(edited, kind):
    were = rid_of(edited, RESPONSES, EMBEDDING)
    kept = edited.root / "kept"
    kept.mkdir()
    for name in (BETAS, WEIGHTS):
        shutil.copy2(edited.root / name, kept)
    done = troubled(edited, [f"prepare_responses {kind} {BETAS}", f"embed {kind} {WEIGHTS}"], *were)
    assert done.status == 1
    (line,) = errors(edited, "prepare_responses/subj01.log")
    assert "betas_session01.hdf5" in line
    (line,) = errors(edited, "embed/clip-text/none/shared-000.log")
    assert "checkpoints/clip" in line
    assert "Traceback" not in done.text
    assert half_made(edited, *were) == []
    for name in (BETAS, WEIGHTS):
        shutil.copy2(kept / Path(name).name, edited.root / name)
    edited.run(*were, *SMALL)
    for name, was in were.items():
        assert read_dataset(edited.root / name).identical(was), name


def test_a_file_server_that_does_not_answer_for_a_while(edited):
    """Opening waits in the kernel, as on a mount that hangs; then all is as ever."""
    were = rid_of(edited, RESPONSES)
    done = troubled(edited, [f"prepare_responses stall {BETAS}"], RESPONSES)
    assert done.status == 0, done.text
    assert (edited.root / f"{BETAS}.stalled").exists()
    assert read_dataset(edited.root / RESPONSES).identical(were[RESPONSES])
