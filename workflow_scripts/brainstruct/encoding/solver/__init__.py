"""Cross-validated ridge regression from one decomposition of all samples."""

from brainstruct.encoding.solver.arrays import beside, on_cpu, wait_for_gpu
from brainstruct.encoding.solver.search import decompose_all, search_alphas

__all__ = ["beside", "decompose_all", "on_cpu", "search_alphas", "wait_for_gpu"]
