"""Cross-validated ridge regression from one decomposition of all samples."""

from brainstruct.encoding.solver.search import search_alphas

__all__ = ["search_alphas"]
