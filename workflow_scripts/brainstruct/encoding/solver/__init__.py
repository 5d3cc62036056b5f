"""Cross-validated ridge regression from one decomposition of all samples."""

from brainstruct.encoding.solver.search import CrossValidatedRidge, search_alphas

__all__ = ["CrossValidatedRidge", "search_alphas"]
