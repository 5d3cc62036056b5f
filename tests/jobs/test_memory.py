"""Lack of memory is told from damage, in the words of every library that may say it."""

from __future__ import annotations

import errno
import resource
import subprocess
import sys

import pytest

from brainstruct.errors import InputError
from brainstruct.store.faults import lack_of_memory

SAID = [
    MemoryError("Unable to allocate 8.00 EiB for an array with shape (1,)"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:126] err == 0. DefaultCPUAllocator: can't allocate "
        "memory: you tried to allocate 4 bytes. Error code 12 (Cannot allocate memory)"
    ),
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    OSError("Can't synchronously read data (memory allocation failed for raw data chunk)"),
    RuntimeError("can't start new thread"),
    ImportError("_fblas.so: failed to map segment from shared object"),
    ValueError("Error tokenizing data. C error: Calling read(nbytes) on source failed."),
    ValueError("Error tokenizing data. C error: out of memory"),
]


@pytest.mark.parametrize("error", SAID, ids=lambda error: str(error)[:30])
def test_it_is_known_by_its_words(error):
    assert lack_of_memory(error) == str(error).rstrip(".")


def test_a_reader_that_took_it_for_damage_gives_the_file():
    def read():
        try:
            raise MemoryError
        except MemoryError as error:
            raise InputError("x.nc", "is damaged", "Delete it") from error

    with pytest.raises(InputError) as refused:
        read()
    assert lack_of_memory(refused.value) == "x.nc: no more could be had"


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError("Unable to synchronously open file (file signature not found)"),
        ValueError("index can't contain negative values"),
        InputError("out of memory.nc", "is cut", "Delete it"),
        KeyError("memory"),
    ],
    ids=str,
)
def test_other_errors_are_not_taken_for_it(error):
    assert lack_of_memory(error) is None


def test_an_error_that_came_from_itself_is_looked_at_once():
    error, other = OSError(errno.EIO, "Input/output error"), ValueError("x")
    error.__cause__ = error
    assert lack_of_memory(error) is None
    error.__cause__, other.__cause__ = other, error
    assert lack_of_memory(error) is None


REFUSED = """
import resource, sys
sys.path.insert(0, "workflow_scripts")
import h5py, numpy, scipy.linalg, threading, torch
from brainstruct.jobs.memory import take_blas_buffers
from brainstruct.store.faults import lack_of_memory
take_blas_buffers()
try:
    torch.ones(1 << 60)  # what PyTorch needs to say so is loaded when it first does
except RuntimeError as error:
    assert lack_of_memory(error), repr(error)
limit = resource.getpagesize() * int(open("/proc/self/statm").read().split()[0]) + (1 << 22)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for ask in (
    take_blas_buffers,
    lambda: numpy.ones(1 << 26),
    lambda: torch.ones(1 << 26),
    lambda: threading.Thread(target=print).start(),
    lambda: h5py.File("x", "w", driver="core", block_size=1 << 29, backing_store=False)
        .create_dataset("x", (1 << 26,), "f8")[:],
):
    try:
        ask()
    except Exception as error:
        assert lack_of_memory(error), repr(error)
    else:
        raise SystemExit("it was not refused")
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_AS"), reason="no limit on address space")
def test_what_libraries_really_say_under_a_limit():
    done = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
