"""How many images, voxels and bytes: the sizes of a study's arrays, by arithmetic.

Images and voxels are counted in the data set's files where they are there.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import comb
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

from brainstruct.config.study import Study
from brainstruct.datasets.interface import DataSet, Part
from brainstruct.datasets.lists import TEST, TRAIN, image_list
from brainstruct.errors import InputError
from brainstruct.planning.jobs import Job
from brainstruct.planning.networks import Network, network_of
from brainstruct.planning.report import Assumptions

Count = TypeVar("Count", int, tuple[int, int])

_SCORE_BYTES = 4
_N_SCORES = 6
"""r, R2, CV score, penalty and p of a voxel and feature space."""

_LAYER_DRAWS = 50  # `encoding.resampling.N_DRAWS`, which parsing does not import

_LABELS_PER_FAMILY = 5

_CHUNKS = 10
"""Reading betas voxel by voxel takes as long as so many times the bytes of responses."""


def is_layer(name: str) -> bool:
    """Say whether an output of a fit holds a layer's scores, or else predictions."""
    return Path(name).name.startswith("layer-")


@dataclass(frozen=True)
class Amounts:
    """Sizes of a study, and what is assumed of them."""

    study: Study
    assumed: ClassVar[Assumptions] = Assumptions()

    @cached_property
    def dataset(self) -> DataSet:
        """Its data set, as released where it has a hole."""
        return self.study.dataset.lenient()

    @cached_property
    def networks(self) -> dict[str, Network]:
        """Model -> its network."""
        return {model.key: network_of(self.study, model) for model in self.study.models}

    def images(self, image_set: str) -> int:
        """Return the number of images of a set that were shown."""

        def count(opened: DataSet) -> int:
            return int(opened.reader().stimuli(image_set)["shown"].sum())

        found = self._counted("stimuli", image_set, self.dataset.list_files(), count)
        return found or self.dataset.expected_images(image_set, self.study.subjects)

    def split(self, subject: str) -> tuple[int, int]:
        """Return the number of training and test images of a subject."""
        dataset = self.dataset

        def count(opened: DataSet) -> tuple[int, int]:
            role = image_list(opened, opened.reader(), subject)["split"]
            return int((role == TRAIN).sum()), int((role == TEST).sum())

        if found := self._counted("trials", subject, dataset.list_files(), count):
            return found
        sets, tested = dataset.image_sets_of(subject), dataset.expected_tests(subject)
        return sum(dataset.expected_images(name, [subject]) for name in sets) - tested, tested

    def block(self, block: str) -> int:
        """Return the number of images of a block such as ``shared-002``."""
        image_set, index = block.rsplit("-", 1)
        size = self.study.data.images_per_block
        return max(0, min(self.images(image_set) - int(index) * size, size))

    @cached_property
    def all_images(self) -> int:
        """Images that each model sees."""
        return sum(map(self.images, self.dataset.image_sets(self.study.subjects)))

    def voxels(self, subject: str) -> int:
        """Return the number of voxels of the mask."""
        mask = self.study.data.mask

        def count(opened: DataSet) -> int:
            return int(opened.reader().places(subject, mask).sizes["voxel"])

        files = self.dataset.grid_files(subject, mask)
        found = self._counted("places", subject, files, count)
        return found or self.dataset.expected_places(subject, mask) or self.assumed.voxels

    def _counted(
        self, part: Part, name: str, files: Iterable[Path], count: Callable[[DataSet], Count]
    ) -> Count | None:
        """Return what jobs will read of a part, counted in files that are there and sound.

        What is wrong with files, the doctor says. Those that the workflow writes may be old ones.
        """
        if (part, name) not in self._seen:
            self._seen[part, name] = None
            if not self.dataset.made_up and all(path.exists() for path in files):
                settings = self.dataset.settings_for(part, name, self.study.subjects)
                # A reader of one's own may need files that it does not list, or other packages.
                with suppress(InputError, OSError, ImportError):
                    self._seen[part, name] = count(DataSet.model_validate(settings))
        return cast(Count | None, self._seen[part, name])

    @cached_property
    def _seen(self) -> dict[tuple[Part, str], Any]:
        return {}

    @cached_property
    def data_files(self) -> frozenset[str]:
        """Files of the data set, which jobs read in part: see `reading_bytes`."""
        return frozenset(map(str, self.dataset.required(self.study.wanted)))

    def reading_bytes(self, job: Job) -> int:
        """Return what a job reads of the data set; of images and lists it is next to nothing."""
        if job.kind != "prepare_responses":
            return 0
        files = self.dataset.response_files(job.wildcards["subject"], self.study.data.mask)
        whole = [path for path in files if path.suffix != ".hdf5"]
        chunks = _CHUNKS * self.output_bytes(job) if len(whole) < len(files) else 0
        return sum(map(self.dataset.expected_bytes, whole)) + chunks

    def embedding_bytes(self, model: str, images: int) -> int:
        """Return the size of a model's states of some images: fitted layers are stored."""
        item = 2 if self.study.embedding.storage == "float16" else 4
        n_layers = len(self.study.model(model).fitted_layers)
        states = n_layers * self.networks[model].width * item
        answer = 5 * self.study.embedding.max_new_tokens + 25
        return images * (states + answer) + self.assumed.file_bytes

    def file_sizes(self, job: Job) -> dict[str, float]:
        """Return file -> bytes of what a job writes."""
        if job.kind != "fit_ridge":
            share = self._bytes_together(job) / len(job.outputs)
            return dict.fromkeys(job.outputs, share)
        subject = job.wildcards["subject"]
        voxels = self.voxels(subject)
        labels = voxels * self.assumed.voxel_bytes + self.assumed.file_bytes
        encoding = self.study.encoding
        # Scores of blocks of images in half precision, see `encoding.solver.search`.
        parts = 4 if encoding.alpha_score == "l2_neg_loss" else 1
        apart = encoding.solver == "himalaya" or encoding.preset is not None
        blocks = 0 if apart else parts * encoding.folds
        layer = voxels * (_N_SCORES * _SCORE_BYTES + 1 + 2 * (blocks + _LAYER_DRAWS)) + labels
        # Best layer and all layers' mean in half precision, intercept, and the best layer.
        prediction = voxels * (4 * self.split(subject)[1] + 6) + labels
        return {name: layer if is_layer(name) else prediction for name in job.outputs}

    def output_bytes(self, job: Job) -> int:
        """Return what a job writes, all files together."""
        return round(sum(self.file_sizes(job).values()))

    def _bytes_together(self, job: Job) -> int:
        wild, assumed = job.wildcards, self.assumed
        model = wild.get("model", "")
        voxels = self.voxels(wild["subject"]) if wild.get("subject") else 0
        labels = voxels * assumed.voxel_bytes + assumed.file_bytes
        families = len(self.study.data.rois)
        n_regions = 1 + families * (1 + _LABELS_PER_FAMILY)
        spaces, n_layers, n_instructions = self._spaces(model)
        match job.kind:
            case "embed":
                images = self.block(wild["block"])
                return self.embedding_bytes(model, images) * len(job.outputs)
            case "collect_scores":
                return (spaces * _N_SCORES + n_instructions) * voxels * _SCORE_BYTES + labels
            case "prepare_responses":
                return sum(self.split(wild["subject"])) * voxels * _SCORE_BYTES + labels
            case "assess_scores":
                n_draws = self.study.statistics.n_draws + n_layers * _LAYER_DRAWS
                draws = _SCORE_BYTES * n_regions * n_draws
                return (n_instructions + 1) * (voxels * 2 * _SCORE_BYTES + draws) + labels
            case "compare_models" | "compare_instructions":
                draws = 4 * 8 * n_regions * self.study.statistics.n_draws
                return self.compared(job) * (44 * voxels + draws) + labels
            case "find_winners":
                return voxels * (41 + (_SCORE_BYTES + 1) * n_instructions) + labels
            case "estimate_ceiling":
                return voxels * (8 + 2 * families) + labels
            case "estimate_cross_subject":
                return voxels * 8 + labels
            case "tabulate_rois":
                return 60 * n_regions * (n_instructions + 2) * (n_layers + 2)
            case "join_tables":
                rows = sum(
                    (self._spaces(each.key)[2] + 2) * (each.n_layers + 2)
                    for each in self.study.models
                )
                return 60 * n_regions * rows * len(self.study.subjects)
            case "tabulate_responses":
                return self.all_images * (5 * self.study.embedding.max_new_tokens + 15)
            case "prepare_pycortex":
                name = self.study.flatmaps.subject
                subjects = {name.format(subject=subject) for subject in self.study.subjects}
                return assumed.pycortex_bytes * len(subjects)
            case "write_synthetic":
                return sum(self.dataset.expected_bytes(Path(name)) for name in job.outputs)
            case "pack_surface":
                return assumed.packed_bytes
            case "build_viewer":  # winners of every model, and surfaces that are packed
                return assumed.viewer_bytes + 41 * voxels * len(self.study.models)
            case rule if rule.startswith("draw_"):
                return (assumed.figure_bytes + 32 * voxels) * len(job.outputs)
        return assumed.file_bytes * len(job.outputs) + labels * (voxels > 0)

    def compared(self, job: Job) -> int:
        """Return the number of pairs that a job compares, of models or of instructions."""
        if job.kind == "compare_models":
            return len(self.study.compared_models)
        n_instructions = self._spaces(job.wildcards["model"])[2]
        return comb(n_instructions, 2) if job.kind == "compare_instructions" else 0

    def _spaces(self, model: str) -> tuple[int, int, int]:
        """Feature spaces, layers and instructions of a model; zeros if there is none."""
        if not model:
            return 0, 0, 0
        entry = self.study.model(model)
        n_layers, n = len(entry.fitted_layers), len(self.study.instructions_of(entry))
        return n_layers * n, n_layers, n
