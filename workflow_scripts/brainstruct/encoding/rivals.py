"""How sure is a winner? Comparisons with the best, on images that had no part in the choice.

The best of ten need not be better than the second. A winner is chosen by cross-validation scores,
and compared with its rivals on the test images (`brainstruct.encoding.comparison`), so its lead
there is not the lead that made it win.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from brainstruct.encoding.alignment import NO_WINNER, LayerRule, best_of, select_layers
from brainstruct.encoding.fdr import LEVEL, benjamini_hochberg
from brainstruct.encoding.uncertainty import MEAN


def judge(
    winner: xr.DataArray,
    rivals: xr.DataArray,
    comparison: xr.Dataset | None,
    own_p: xr.DataArray,
) -> xr.Dataset:
    """Say which voxels have a clear winner, and which rivals cannot be told from it elsewhere.

    A winner is clear if it is better than every rival and than nothing: its p is the largest of
    the one-sided p of these comparisons and of its permutation test (intersection-union; Berger
    1982), the false discovery rate controlled over voxels. Chosen on other images, it makes with
    the rivals of p > 0.05 a 95 % confidence set of the best (comparisons with the best; Hsu 1984).

    `winner` (voxel) are positions among the names of `rivals`, or `NO_WINNER`; `rivals`
    (instruction or model, voxel), bool, with names as coordinate, say who could have won instead
    (the winner itself, where two groups share it: then it is not clear). `comparison` is of
    `compare_groups`; what it lacks cannot be told apart. `own_p`, as rivals, is p of better than
    chance, NaN where that was not tested.

    Returns ``p``, ``q`` and ``clear`` by voxel and, of the shape of rivals, ``candidate``: the
    winner and those that cannot be told from it, itself alone where it is clear and else at least
    the strongest rival too. NaN and False where there is no winner.
    """
    names = [str(name) for name in rivals[rivals.dims[0]].values]
    known = winner.values != NO_WINNER
    place = np.where(known, winner.values, 0)
    p = np.ones(rivals.shape)  # small: worse than the winner
    for a, b, difference, two_sided in _pairs(comparison, names):
        first = np.where(difference > 0, two_sided / 2, 1 - two_sided / 2)
        for better, worse, sided in ((a, b, first), (b, a, 1 - first)):
            won = (place == better) & np.isfinite(sided)
            p[worse, won] = sided[won]
    raced = rivals.values & known
    against = np.where(raced, p, -np.inf)
    columns = np.arange(place.size)
    worst = np.fmax(against.max(0), own_p.values[place, columns])
    worst[~raced.any(0)] = np.nan
    q = benjamini_hochberg(worst)
    clear = q <= LEVEL
    candidate = raced & (p > LEVEL)
    candidate[against.argmax(0), columns] |= raced.any(0) & ~clear
    candidate[place, columns] |= known
    return xr.Dataset(
        {"p": ("voxel", worst), "q": ("voxel", q), "clear": ("voxel", clear)}
        | {"candidate": (rivals.dims, candidate)}
    )


def _pairs(
    comparison: xr.Dataset | None, names: Sequence[str]
) -> Iterator[tuple[int, int, NDArray[np.floating], NDArray[np.floating]]]:
    """Iterate over compared pairs: places among the names, differences and p."""
    if comparison is None:
        return
    for row, pair in enumerate(zip(comparison["a"].values, comparison["b"].values, strict=True)):
        if set(pair) <= set(names):
            a, b = map(names.index, pair)
            yield a, b, comparison["difference"].values[row], comparison["p"].values[row]


def judge_winners(
    found: xr.Dataset,
    scores: xr.Dataset,
    comparison: xr.Dataset | None,
    p: xr.DataArray,
    rule: LayerRule,
) -> xr.Dataset:
    """Add to what `find_winners` found of the scores how sure it is; see `judge`.

    `p` (instruction, voxel) is that of `brainstruct.encoding.uncertainty.against_chance`. Adds as
    well, by voxel, what models are compared by: ``cv_score``, the mean over instructions, and
    ``p_mean``, p of all instructions together.
    """
    own = p.sel(instruction=scores["instruction"].values).transpose("instruction", "voxel")
    place = xr.DataArray(np.arange(own.sizes["instruction"]), dims="instruction")
    rivals = (place != found["instruction_index"]).assign_coords(instruction=own["instruction"])
    sure = judge(found["instruction_index"], rivals, comparison, own)
    return found.merge(sure).assign(
        cv_score=select_layers(scores, rule)["cv_score"].mean("instruction"),
        p_mean=p.sel(instruction=MEAN, drop=True),
    )


def judge_models(winners: Mapping[str, xr.Dataset], comparison: xr.Dataset) -> xr.Dataset:
    """Find the model that suits each voxel best, and how sure that is; see `judge`.

    `winners` are those of models, see `judge_winners`, and `comparison` is of all pairs of them. A
    model's score is the mean over its instructions. Returns, with what `judge` says,
    ``model_index`` (voxel), `NO_WINNER` where a ceiling is under the threshold.
    """
    names = xr.DataArray(list(winners), dims="model", name="model")
    cv_score, own = (
        xr.concat([one[name] for one in winners.values()], names) for name in ("cv_score", "p_mean")
    )
    known = next(iter(winners.values()))["layer"] != NO_WINNER
    best = best_of(cv_score, "model").where(known, NO_WINNER).astype(np.int16)
    place = xr.DataArray(np.arange(len(winners)), dims="model")
    rivals = (place != best).assign_coords(model=list(winners))
    return judge(best, rivals, comparison, own).assign(model_index=best, model=list(winners))
