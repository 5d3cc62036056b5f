"""Time and memory of a job, by arithmetic on the sizes of what it works on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brainstruct.models.registry import FAMILIES
from brainstruct.planning.amounts import Amounts, is_layer
from brainstruct.planning.jobs import Job
from brainstruct.planning.report import Assumptions
from brainstruct.planning.solvers import (
    EVALUATED,
    FASTER,
    banded_flops,
    decomposition_flops,
    gram_flops,
    himalaya_flops,
)
from brainstruct.workflow.rooms import Rooms

_MB = 1e6

FITTING = {"fit_ridge", "partition_variance"}
"""Kinds of jobs that ask for GPUs if fits are to."""

_TORCH = {"embed", "predict_selected", "plant_features"} | FITTING
_TORCH |= {"build_tiny_checkpoint"}  # through its builder
"""Rules whose jobs import torch."""

_TESTING = {"assess_scores", "compare_models", "compare_instructions", "estimate_cross_subject"}
"""Rules that score predictions of test images many times over."""

COMPUTED = {"embed"} | FITTING | _TESTING
"""Rules whose arithmetic is estimated; the others' start, reading and writing alone."""

_LAZY = {"tabulate_responses", "write_methods", "discard_embeddings", "estimate_ceiling"}
"""Rules that open large arrays and read answers, provenance or lists of images alone."""

_KEPT_TWICE = 3
"""Responses of a subject are summed up in double precision before they are stored in single."""

_QUANTILE_FLOPS = 2250
"""Time of a pair's quantiles over draws, in products of a number, for each draw and voxel."""

PRESET_PENALTIES, PRESET_FOLDS, CROSS_SUBJECT_PENALTIES = 60, 5, 13
"""Of the preset `oota2025`, which himalaya's own solver fits; of a ceiling from other subjects."""

_SURFACES_S = {"prepare_pycortex": 8.0, "pack_surface": 27.0}
"""Seconds that a job takes whose work is on surfaces, whatever the size of the study."""

_START_MB = dict.fromkeys(_TORCH, 600) | dict.fromkeys(_SURFACES_S, 700) | {"build_viewer": 250}
_START_MB |= {"fit_ridge": 850, "partition_variance": 760, "prepare_responses": 320}
"""Memory of a job before it has read anything, if it is not 200."""

_MAPS_MB, _DRAWN_MB = 340, {"draw_alignment_maps": 250, "draw_noise_ceiling": 200}
"""The same of figures with flatmaps, which read the study's store of cortices; and images in colour
of each input besides the store and one more."""


@dataclass(frozen=True)
class Cost:
    """What one job takes: seconds from start to end and, in MB, its most memory."""

    seconds: float
    memory_mb: float


def job_cost(job: Job, amounts: Amounts, size_of: Callable[[str], float]) -> Cost:
    """Estimate a job: start, reading and writing, and the arithmetic of those that embed and fit.

    `size_of` tells the bytes of its inputs that are results; see `Amounts.reading_bytes` for the
    data set's.
    """
    assumed = amounts.assumed
    written = float(amounts.output_bytes(job))
    read = written if job.kind in _LAZY else _results_read(job, amounts, size_of)
    seconds = startup_seconds(job, assumed) + _SURFACES_S.get(job.kind, 0.0)
    seconds += assumed.file_s * len(job.inputs)
    maps = job.kind.startswith("draw_") and any("/pycortex/" in name for name in job.inputs)
    memory = float(_MAPS_MB if maps else _START_MB.get(job.kind, 200))
    memory += _DRAWN_MB.get(job.kind, 0) * max(len(job.inputs) - 2, 0)
    if job.kind == "embed":
        # Images are read one by one; one instruction's states are held, and once more as a file.
        seconds += embed_seconds(job, amounts, assumed)
        network = amounts.networks[job.wildcards["model"]]
        # Read on a CPU, weights lie in memory beside their files, which are mapped.
        mapped = network.download_bytes if amounts.study.embedding.device == "cpu" else 0.0
        memory += (network.held_bytes + mapped + 2 * written / len(job.outputs)) / _MB
        return Cost(seconds + written / _MB / assumed.disk_mb_per_s, memory)
    seconds += (amounts.reading_bytes(job) + read + written) / _MB / assumed.disk_mb_per_s
    if job.kind == "prepare_responses":
        return Cost(seconds, memory + _KEPT_TWICE * written / _MB)
    seconds += arithmetic_seconds(job, amounts)
    if job.kind in FITTING:
        return Cost(seconds, memory + _ridge_bytes(job, amounts) / _MB)
    if job.kind in _TESTING:  # responses to test images, scaled, and predictions, one by one
        subject = job.wildcards["subject"]
        read = 4.5 * 4 * amounts.split(subject)[1] * amounts.voxels(subject)
    return Cost(seconds, memory + (read + 2 * written) / _MB)


def arithmetic_seconds(job: Job, amounts: Amounts) -> float:
    """Return how long the arithmetic of a job takes that does not embed."""
    assumed = amounts.assumed
    on_cpu = assumed.cpu_gflops_per_thread * 1e9 * job.threads
    return _flops(job, amounts) / (assumed.gpu_fit_tflops * 1e12 if job.gpus else on_cpu)


def _flops(job: Job, amounts: Amounts) -> float:
    """Return the arithmetic of a job that does not embed."""
    if job.kind == "fit_ridge":
        return sum(map(is_layer, job.outputs)) * ridge_flops(job, amounts)
    if job.kind == "partition_variance":
        return partition_flops(job, amounts)
    return resampling_flops(job, amounts) if job.kind in _TESTING else 0.0


def startup_seconds(job: Job, assumed: Assumptions) -> float:
    """Return what passes before the first line of a job."""
    return assumed.torch_startup_s if job.kind in _TORCH else assumed.startup_s


def _results_read(job: Job, amounts: Amounts, size_of: Callable[[str], float]) -> float:
    """Return the bytes of results that a job reads: of embeddings the layers that it fits."""
    share = 1.0
    if job.kind in FITTING:
        fitted = sum(map(is_layer, job.outputs)) if job.kind == "fit_ridge" else 1
        share = fitted / len(amounts.study.model(job.wildcards["model"]).fitted_layers)
    folder = Path(amounts.study.results, "embeddings")
    return sum(
        size_of(name) * (share if Path(name).is_relative_to(folder) else 1.0)
        for name in job.inputs
        if name not in amounts.data_files
    )


def embed_flops(model: str, amounts: Amounts) -> tuple[float, float]:
    """Return the arithmetic per image: of images and prompt, and of one token of the answer.

    Two operations per parameter and token (Kaplan et al. 2020, arXiv 2001.08361).
    """
    network = amounts.networks[model]
    prompt = amounts.assumed.prompt_tokens
    before = network.vision_parameters * network.patches
    before += network.language_parameters * (network.image_tokens + prompt)
    return 2 * before, 2 * network.language_parameters


def embed_seconds(
    job: Job, amounts: Amounts, assumed: Assumptions, instructions: int | None = None
) -> float:
    """Return how long a job embeds, given so many instructions, by default those that it has.

    Where the image stands before the instruction it is run once for all of them.
    """
    embedding, model = amounts.study.embedding, amounts.study.model(job.wildcards["model"])
    network = amounts.networks[model.key]
    before, per_token = embed_flops(model.key, amounts)
    on_gpu = embedding.device != "cpu"
    rate = assumed.gpu_tflops * 1e12 if on_gpu else assumed.cpu_gflops_per_thread * 1e9
    given = len(job.outputs) if instructions is None else instructions
    per_image: float = before / rate * (1 if FAMILIES[model.family].image_first else given)
    if model.follows_instructions and embedding.pooling == "response_mean":
        # A step of decoding reads all weights once for a batch.
        weights = network.bits / 8 * network.language_parameters / (assumed.gpu_gb_per_s * 1e9)
        step = max(per_token / rate, weights / embedding.batch_size if on_gpu else 0.0)
        per_image += given * (model.thinking_tokens + embedding.max_new_tokens + 1) * step
    load = 2 * network.parameters / (assumed.weights_mb_per_s * _MB)
    return load + amounts.block(job.wildcards["block"]) * per_image


def ridge_flops(job: Job, amounts: Amounts) -> float:
    """Return the arithmetic of fitting one layer."""
    n, p, voxels = _shape(job, amounts)
    encoding = amounts.study.encoding
    if encoding.preset is not None:
        return himalaya_flops(n, p, voxels, PRESET_PENALTIES, PRESET_FOLDS)
    if encoding.solver == "himalaya":
        return himalaya_flops(n, p, voxels, encoding.alphas.count, encoding.folds)
    faster = 1.0 if job.gpus else FASTER
    return gram_flops(n, p, voxels, encoding.alphas.count, encoding.folds, faster)


def partition_flops(job: Job, amounts: Amounts) -> float:
    """Return the arithmetic of partitioning variance between pairs of instructions.

    Principal components of each instruction's features, then for each pair a
    banded fit, see `banded_flops`.
    """
    n, p, voxels = _shape(job, amounts)
    study = amounts.study
    instructions = len(study.instructions_of(study.model(job.wildcards["model"])))
    pairs = len(Rooms.of(study).statistics.pairs_of(job.wildcards["model"]))
    fit = banded_flops(
        n,
        min(study.partition.components, n, p),
        voxels,
        study.encoding.alphas.count,
        len({*study.partition.shares} - {0.0, 1.0}),
        study.encoding.folds,
        1.0 if job.gpus else FASTER,
    )
    return instructions * decomposition_flops(n, p) + pairs * fit


def resampling_flops(job: Job, amounts: Amounts) -> float:
    """Return the arithmetic of a job that scores predictions of test images many times over.

    Of every prediction, three weighted moments in every draw, and two of the responses; of every
    pair compared, quantiles over draws; a permutation costs one product. A ceiling from other
    subjects is a search for every subset of them and fold, with all images and half as long with
    halves, in double precision by numpy, three times as slow.
    """
    study, voxels = amounts.study, amounts.voxels(job.wildcards["subject"])
    images = amounts.split(job.wildcards["subject"])[1]
    if job.kind == "estimate_cross_subject":
        options, others = study.cross_subject, len(study.subjects) - 1
        searches = min(2**others - 1, others * options.subsets_per_size) * options.folds
        fitted = (images * (1 - 1 / options.folds)) ** 2 * (1 - 1 / options.inner_folds)
        return float(3 * 3 * searches * CROSS_SUBJECT_PENALTIES * fitted * voxels)
    draws = study.statistics.n_draws
    members = sum(not is_layer(name) for name in job.inputs) - 2  # beside responses and ceiling
    each = 2 * images * draws * (3 * members + 2)
    if job.kind == "assess_scores":
        each += 2 * images * study.encoding.permutations * (members + 1)
    return float(voxels * (each + draws * _QUANTILE_FLOPS * amounts.compared(job)))


def _shape(job: Job, amounts: Amounts) -> tuple[int, int, int]:
    subject = job.wildcards["subject"]
    width = amounts.networks[job.wildcards["model"]].width
    return amounts.split(subject)[0], width, amounts.voxels(subject)


def _ridge_bytes(job: Job, amounts: Amounts) -> float:
    """Features and responses in single precision, a Gram matrix in double, and their copies.

    A fit holds the inverses of a fold besides, of every penalty, as they are and packed.
    """
    n, p, voxels = _shape(job, amounts)
    test, encoding = amounts.split(job.wildcards["subject"])[1], amounts.study.encoding
    inverses = 2 * min(encoding.alphas.count, EVALUATED) * (n / encoding.folds) ** 2
    inverses *= job.kind == "fit_ridge"
    return 4 * ((n + test) * (6 * p + 3 * voxels) + inverses) + 8 * 3 * min(n, p) ** 2
