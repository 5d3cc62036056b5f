"""Whether an error is a lack of memory, under whatever name it comes.

The kernel's refusal reaches Python as MemoryError, as the words of a library
(torch, HDF5, the loader of shared objects), or inside the error of a reader
that took it for damage to its file.
"""

from __future__ import annotations

import errno
import mmap
import re
import sys
from collections.abc import Iterator

import threadpoolctl

from brainstruct.errors import InputError

_WORDS = re.compile(
    r"(can't|cannot|can not|could not|unable to|failed to) allocate"
    r"|(memory )?allocation failed|ALLOC_FAILED"  # HDF5, CUDA's libraries
    r"|out of memory|not enough memory|bad_alloc"
    r"|failed to map segment"  # of a library that is loaded amid the work
    r"|can't start new thread"  # there is no room for its stack
    r"|Calling read\(nbytes\) on source failed",  # pandas, of an error without words
    re.IGNORECASE,
)


def lack_of_memory(error: BaseException) -> str | None:
    """Return what was refused, or `None` if an error, and what it came from, is of another kind.

    One line; names the file that was being read, where that is known.
    """
    where = ""
    for part in _chain(error):
        if isinstance(part, InputError):  # its words are of files and settings
            where = f"{part.where}: "
        elif (
            isinstance(part, MemoryError)
            or getattr(part, "errno", None) == errno.ENOMEM
            or _WORDS.search(str(part))
        ):
            said = " ".join(str(part).split()).rstrip(".")
            return f"{where}{said or 'no more could be had'}"
    return None


BLAS_BUFFER = 64 << 20
"""Bytes of address space that each copy of OpenBLAS may want per thread; 32 MB is usual."""

_SIDE = 256  # rows of matrices that are multiplied by way of that buffer, on all threads


def take_blas_buffers() -> None:
    """Let every copy of OpenBLAS in this process (numpy's, scipy's) take its buffers now.

    Refused them amid the work, it ends the process, or tries for ever.

    Raises
    ------
    OSError
        With ENOMEM, if there is no room for them.
    """
    buffers = sum(
        library["num_threads"]
        for library in threadpoolctl.threadpool_info()
        if library["internal_api"] == "openblas"
    )
    if buffers == 0:
        return
    mmap.mmap(-1, buffers * BLAS_BUFFER).close()  # address space: nothing is written
    numpy, linalg = sys.modules.get("numpy"), sys.modules.get("scipy.linalg")
    if numpy is not None:
        square = numpy.ones((_SIDE, _SIDE))
        square @ square
        if linalg is not None:
            linalg.blas.dgemm(1.0, square, square)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from, as a traceback would show them, each once."""
    found: BaseException | None = error
    seen: set[int] = set()  # whoever raises an error from itself closes a circle
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
