"""What fits and partitions multiply: arithmetic of solvers, by the sizes of their arrays."""

_BANDS, EVALUATED = 0.3, 26
"""Products of all features with all voxels that the `gram` solver makes per penalty where features
are like a language model's (0.45 where no few components stand out); and penalties that cost it
products (more are interpolated)."""

FASTER, BLOCK = 2.3, 256
"""How often as fast as others the products are that oneDNN makes, of fits and partitions; and rows
of a triangle that a partition multiplies at once."""

_MIXING_FLOPS = 450
"""Time to mix and score a prediction of a penalty, image and voxel, in products of a number."""

_DECOMPOSITION_FLOPS, _CUBES = 5.9, 20.0
"""What decomposes features takes, in products of a number: over features, images and the smaller of
them; and over the cube of that, for principal components."""

_FIT_CUBES = 11.0
"""The latter of a fit, which wants all components, by another routine of LAPACK."""

_EIGEN_FLOPS = 22
"""Arithmetic of a symmetric eigendecomposition, over the cube of its size; in double
precision, which takes twice as long."""


def gram_flops(
    n: int, p: int, voxels: int, penalties: int, folds: int, faster: float = FASTER
) -> float:
    """Count a fit of the `gram` solver to `n` images of `p` features.

    Responses are projected onto components; for every penalty, what is left of the held-out images
    is made in bands of components, and multiplied by an inverse of their number.
    """
    evaluated, held, rank = min(penalties, EVALUATED), n / folds, min(n, p)
    products = 2 * n * voxels * (rank + evaluated * (_BANDS * rank + held))
    products += 2 * evaluated * folds * held**3
    mixing = _MIXING_FLOPS * evaluated * n * voxels
    return decomposition_flops(n, p, _FIT_CUBES) + products / faster + mixing


def himalaya_flops(n: int, p: int, voxels: int, penalties: int, folds: int) -> float:
    """Count a fit of himalaya's own solver.

    For every fold and penalty it makes the matrix that turns responses into
    weights, applies it to the held-out features, and the result to the
    responses; then once more, of all images, for the weights.
    """
    fitted = n - n // folds
    rank = min(fitted, p)
    per_penalty = 2 * fitted * (folds * p * rank + n * p + n * voxels) + 2 * n * p * min(n, p)
    decompositions = (folds + 1) * (4 * n * p * rank + _EIGEN_FLOPS * rank**3)
    return float(penalties * per_penalty + decompositions)


def banded_flops(
    n: int,
    components: int,
    voxels: int,
    penalties: int,
    shares: int,
    folds: int,
    faster: float = FASTER,
) -> float:
    """Count a fit of two bands, of `components` each, alone and together.

    Every penalty is tried at every share, on Gram matrices: by half the square of the components,
    whatever `n`, the number of images. Besides 0 and 1, where one band is left, `shares` are tried.
    """
    both = 2 * components
    # Per share, of the columns that it keeps: squares, their triangles in blocks, and cubes.
    squares = 2 * components**2 + shares * both**2
    triangles = (squares + min(BLOCK, components) * (2 * components + shares * both)) / 2
    cubes = 2 * components**3 + shares * both**3
    searched = folds * 2 * voxels * (triangles * penalties + 2 * squares)
    fast = searched + 2 * 2 * n * both * voxels
    slow = 2 * n * both * voxels + 2 * 2 * voxels * (both**2 + 2 * components**2)
    # In double precision, which takes twice as long: Gram matrices, eigendecompositions and
    # their products, in every fold, and in the refits of the joint model and of each band.
    grams = 2 * 5 * 2 * n * both**2
    bases = 2 * (_EIGEN_FLOPS + 4) * ((folds + 1) * cubes + 2 * components**3)
    return float(fast / faster + slow + grams + bases)


def decomposition_flops(n: int, p: int, cubes: float = _CUBES) -> float:
    """Count the smaller Gram matrix and its decomposition, and products with it, in double."""
    smaller = min(n, p)
    return _DECOMPOSITION_FLOPS * n * p * smaller + cubes * smaller**3
