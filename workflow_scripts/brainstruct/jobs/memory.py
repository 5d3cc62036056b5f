"""Room for the libraries' buffers, taken before the work begins."""

import mmap
import sys

import threadpoolctl

BLAS_BUFFER = 64 << 20
"""Bytes of address space that each copy of OpenBLAS may want per thread; 32 MB is usual."""

_SIDE = 256  # rows of matrices that are multiplied by way of that buffer, on all threads


def take_blas_buffers() -> None:
    """Let every copy of OpenBLAS in this process (numpy's, scipy's) take its buffers now.

    Refused them amid the work, it ends the process, or tries for ever. An `OSError` (ENOMEM) if
    there is no room for them.
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
