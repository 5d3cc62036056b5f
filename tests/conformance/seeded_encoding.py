"""Seeded inputs of the stages that fit, partition and compare."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from brainstruct.brain.labels import names_as_text
from brainstruct.config.encoding import Alphas, Divisor, FitSettings
from brainstruct.config.statistics import PartitionSettings
from brainstruct.encoding.comparison import ComparisonOptions
from brainstruct.encoding.stacking import SCORES
from brainstruct.store.arrays import read_dataset, write_dataset
from collect_scores import collect_scores
from compare import compare
from fit_ridge import fit_ridge
from partition_variance import partition_variance
from predict_selected import predict_selected

LAYERS, VOXELS = (0, 3, 4), 9
TRAIN, TEST = 70, 30
NAMES = ("IC", "VQ1", "CR")
GRID = {"log10_min": -1, "log10_max": 4, "count": 6}
SOLVERS = {
    "gram": {"folds": 3},
    # So close that most are interpolated.
    "gram-dense": {"folds": 3, "alphas": {"log10_min": 0, "log10_max": 2.5, "count": 40}},
    "gram-r2": {"alpha_score": "r2_score", "folds": 4},
    "gram-correlation": {"alpha_score": "correlation_score", "backend": "numpy"},
    "himalaya": {"solver": "himalaya", "folds": 3},
    "himalaya-numpy": {"solver": "himalaya", "backend": "numpy", "alpha_score": "r2_score"},
    "gram-weights": {"folds": 3, "weights": "repetitions"},
    "preset": {"preset": "oota2025"},
}

Outputs = dict[str, object]


def ids() -> np.ndarray:
    return np.random.default_rng(7).permutation(5000)[: TRAIN + TEST]


def features(width: int, space: int) -> np.ndarray:
    """A feature space of all images, [layer, image, feature]."""
    random = np.random.default_rng([8, width, space])
    shape = (len(LAYERS), TRAIN + TEST, width)
    return (random.standard_normal(shape) * random.uniform(0.5, 2, width) + 1).astype(np.float32)


def write_features(folder: Path, name: str, width: int, space: int) -> list[Path]:
    """Write a space in two blocks, neither in the order of the responses."""
    whole, at = features(width, space), np.arange(TRAIN + TEST)[::-1]
    paths = []
    for part, rows in enumerate((at[::2], at[1::2])):
        block = xr.Dataset(
            {"embedding": (("layer", "stimulus", "feature"), whole[:, rows])},
            coords={"layer": list(LAYERS), "stimulus": ids()[rows], "feature": np.arange(width)},
        )
        paths.append(folder / f"{name}-{part}.nc")
        write_dataset(block, paths[-1])
    return paths


def write_responses(folder: Path) -> Path:
    """Write responses that every space and layer drives a little, each voxel another one most."""
    random = np.random.default_rng(9)
    betas = 3 * random.standard_normal((TRAIN + TEST, VOXELS)) + random.uniform(-1, 1, VOXELS)
    for width, space in ((12, 0), (12, 1), (12, 2), (150, 0)):
        for voxel in range(VOXELS):
            drive = features(width, space)[(voxel + space) % 3] @ random.standard_normal(width)
            betas[:, voxel] += drive * (1 if width == 12 else 0.3)
    stored = xr.Dataset(
        {"betas": (("stimulus", "voxel"), betas.astype(np.float32))},
        coords={
            "stimulus": ids(),
            "split": ("stimulus", ["train"] * TRAIN + ["test"] * TEST),
            "test_set": ("stimulus", [""] * TRAIN + ["shared"] * TEST),
            "repetitions": ("stimulus", [3, 1] * ((TRAIN + TEST) // 2)),
            "voxel": np.arange(VOXELS) + 4,
        },
    )
    write_dataset(stored, folder / "responses.nc")
    return folder / "responses.nc"


def write_scores(folder: Path) -> Path:
    random = np.random.default_rng(10)
    shape = (len(NAMES), len(LAYERS), VOXELS)
    stored = xr.Dataset(
        {
            "cv_score": (("instruction", "layer", "voxel"), random.standard_normal(shape)),
            "alpha": (("instruction", "layer", "voxel"), 10 ** random.uniform(0, 3, shape)),
            "r2": (("instruction", "layer", "voxel"), random.uniform(-0.1, 0.5, shape)),
        },
        coords={"instruction": list(NAMES), "layer": list(LAYERS), "voxel": np.arange(VOXELS) + 4},
    )
    write_dataset(stored, folder / "scores.nc")
    return folder / "scores.nc"


def write_ceiling(folder: Path) -> Path:
    stored = xr.Dataset(
        {
            "roi_label": (
                ("roi", "voxel"),
                np.array([[1, 1, 2, 0, 0, 2, 2, 0, 1], [0] * 6 + [3] * 3]),
            ),
            "ceiling_ncsnr": ("voxel", [0.9, 0.04, 0.5, 0.3, 0.2, 0.7, np.nan, 0.4, 0.8]),
        },
        coords={"roi": ["one", "other"], "voxel": np.arange(VOXELS) + 4},
        attrs={"roi_labels": names_as_text({"one": {1: "a", 2: "b"}, "other": {3: "c", 4: "d"}})},
    )
    write_dataset(stored, folder / "ceiling.nc")
    return folder / "ceiling.nc"


def fitted(folder: Path) -> Outputs:
    found: Outputs = {}
    responses = write_responses(folder)
    for width in (12, 150):
        embeddings = write_features(folder, str(width), width, 0)
        for name, settings in SOLVERS.items():
            into = folder / f"{name}-{width}"
            layers = LAYERS if into.name in ("gram-12", "preset-12") else LAYERS[:1]
            fits = [into / f"layer-{layer}.nc" for layer in layers]
            given = {
                "preset": None,
                "alphas": GRID,
                "permutations": 60,
                "alpha_score": "l2_neg_loss",
            }
            usual = {"folds": 5, "solver": "gram"}
            chosen = given | usual | settings
            backend = chosen.pop("backend", "torch")
            fit_ridge(
                responses=responses,
                embeddings=embeddings,
                encoding=FitSettings(**chosen),
                seed=5,
                instruction="IC",
                targets_per_batch=4,
                backend=backend,
                staged=False,
                threads=1,
                gpus=0,
                code="",
                fits=fits,
                prediction=into / "prediction.nc",
            )
            for path in (*fits, into / "prediction.nc"):
                found[f"{into.name}-{path.stem}"] = path
    return found


def predicted(folder: Path) -> Outputs:
    scores, responses = write_scores(folder), write_responses(folder)
    found = {}
    for name, width, preset, weights in (
        ("few", 12, None, None),
        ("many", 150, None, None),
        ("weights", 150, None, "repetitions"),
        ("preset", 12, "oota2025", None),
    ):
        found[name] = folder / f"{name}.nc"
        predict_selected(
            scores=scores,
            responses=responses,
            embeddings=write_features(folder, name, width, 0),
            staged=False,
            preset=preset,
            weights=weights,
            instruction="VQ1",
            code="",
            prediction=found[name],
        )
    return dict(found)


def collected(folder: Path) -> Outputs:
    random = np.random.default_rng(11)
    fits = []
    for name in NAMES:
        for layer in LAYERS:
            values = {
                key: ("voxel", random.standard_normal(VOXELS).astype(np.float32)) for key in SCORES
            }
            attrs = {"instruction": name, "layer": layer, "test_set": "shared", "n_train": 70}
            attrs |= {"n_test": 30, "n_features": 12, "n_permutations": 60, "smallest_p": 1 / 60}
            blocks = random.standard_normal((4, VOXELS)).astype(np.float16)
            values["cv_deviation"] = ("block", "voxel"), blocks
            fits.append(folder / f"{name}-{layer}.nc")
            stored = xr.Dataset(values, coords={"voxel": np.arange(VOXELS) + 4}, attrs=attrs)
            write_dataset(stored, fits[-1])
    collect_scores(
        fits=fits, instructions=list(NAMES), layers=list(LAYERS), scores=folder / "scores.nc"
    )
    return {"scores": folder / "scores.nc"}


def partitioned(folder: Path) -> Outputs:
    spaces = {name: write_features(folder, name, 12, at) for at, name in enumerate(NAMES)}
    scores, ceiling, responses = (
        write_scores(folder),
        write_ceiling(folder),
        write_responses(folder),
    )
    found = {}
    for layer, components, weights in (
        ("best", 5, None), ("region", 8, None), ("voxel", 12, None), (3, 6, "repetitions"),
    ):  # fmt: skip
        found[str(layer)] = folder / f"partition-{layer}.nc"
        partition_variance(
            scores=scores,
            ceiling=ceiling,
            responses=responses,
            embeddings=spaces,
            pairs=[("IC", "VQ1"), ("IC", "CR")],
            partition_settings=PartitionSettings(
                layer=layer, components=components, shares=[0.2, 0.5, 0.8]
            ),
            penalties=Alphas(**GRID),
            folds=3,
            backend="torch",
            weights=weights,
            divisor=Divisor(ceiling_threshold=0.05),
            statistics=ComparisonOptions(n_draws=60, seed=5, voxels_at_once=4),
            mask="all",
            seed=5,
            threads=1,
            gpus=0,
            code="",
            partition=found[str(layer)],
        )
    return dict(found)


def compared(folder: Path) -> Outputs:
    responses, ceiling = write_responses(folder), write_ceiling(folder)
    truth = read_dataset(responses)["betas"].values[TRAIN:]
    random = np.random.default_rng(12)
    predictions = []
    for number, noise in enumerate((3, 5, 4, 9)):
        values = truth + noise * random.standard_normal(truth.shape)
        stored = xr.Dataset(
            {"prediction": (("stimulus", "voxel"), values.astype(np.float32))},
            coords={"stimulus": ids()[TRAIN:], "voxel": np.arange(VOXELS) + 4},
        )
        predictions.append(folder / f"prediction-{number}.nc")
        write_dataset(stored, predictions[-1])
    compare(
        responses=responses,
        ceiling=ceiling,
        predictions=predictions,
        groups={"a": ["IC", "CR"], "b": ["none"], "c": ["none"]},
        pairs=[("a", "b"), ("b", "c")],
        divisor=Divisor(ceiling_threshold=0.05),
        statistics=ComparisonOptions(n_draws=60, seed=2, voxels_at_once=4),
        mask="all",
        code="",
        comparison=folder / "comparison.nc",
    )
    return {"comparison": folder / "comparison.nc"}
