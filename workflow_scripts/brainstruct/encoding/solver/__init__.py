"""An exact solver of cross-validated ridge regression for himalaya's ``RidgeCV``."""

from brainstruct.encoding.solver.hook import register, solve_ridge_cv_gram
from brainstruct.encoding.solver.memory import most_bytes
from brainstruct.encoding.solver.search import CrossValidatedRidge, search_alphas

__all__ = [
    "CrossValidatedRidge",
    "most_bytes",
    "register",
    "search_alphas",
    "solve_ridge_cv_gram",
]
