"""From a study to the names of its files; pure, and fast enough to run at every parse.

Rules take their patterns from here, so a name is spelt in one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from brainstruct.config.models import Model
from brainstruct.config.study import Study

SHARED = "shared"
"""Owner of the blocks of images that every subject saw."""

SHARED_IMAGES = 1000
"""Images of the NSD that are shown to all subjects."""

OWN_IMAGES = 9000
"""Images of the NSD that are shown to one subject only, by design."""

DOWNLOADS = "resources/checkpoints"
"""Where checkpoints of the hub go."""


@dataclass(frozen=True)
class EmbedJob:
    """What one kind of embedding job does.

    Attributes
    ----------
    instructions : tuple of str
        Keys of the instructions it gives, or the one wildcard of them.
    models : tuple of str
        Keys of the models that have such a job.
    """

    instructions: tuple[str, ...]
    models: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of its log, without folder."""
        return "_".join(self.instructions)


@dataclass(frozen=True)
class FitJob:
    """Layers that one job fits.

    Attributes
    ----------
    layers : tuple of int
        Which.
    n_fitted : int
        Layers of the model that are fitted, by this job and others.
    models : tuple of str
        Keys of the models that have such a job.
    """

    layers: tuple[int, ...]
    n_fitted: int
    models: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of its rule; no two sets of layers share one."""
        first, last = self.layers[0], self.layers[-1]
        if len(self.layers) == last - first + 1:
            return f"fit_ridge_{first}_to_{last}_of_{self.n_fitted}"
        return f"fit_ridge_{'_'.join(map(str, self.layers))}_of_{self.n_fitted}"

    @property
    def complete(self) -> bool:
        """Whether it fits all layers of its models, and so can tell the best."""
        return len(self.layers) == self.n_fitted


@dataclass(frozen=True)
class Targets:
    """The files of a study.

    Attributes
    ----------
    study : Study
        The checked configuration.
    """

    study: Study

    # Patterns, with Snakemake's wildcards in braces.

    @cached_property
    def root(self) -> str:
        """Folder of the results."""
        return self.study.results.rstrip("/")

    def nsd_check(self) -> str:
        """List of the data set's files, once all are there."""
        return f"{self.root}/nsd_check.json"

    def stimuli(self, subject: str = "{subject}") -> str:
        """Images that a subject saw, one row each."""
        return f"{self.root}/stimuli/{subject}.tsv"

    def block(self, block: str = "{block}") -> str:
        """Images of one embedding job."""
        return f"{self.root}/stimuli/blocks/{block}.tsv"

    def responses(self, subject: str = "{subject}") -> str:
        """Betas of a subject, averaged over repetitions."""
        return f"{self.root}/responses/{subject}.nc"

    def checkpoint(self, checkpoint: str = "{checkpoint}") -> str:
        """Manifest of a checkpoint that is complete on disk."""
        return f"{self.root}/checkpoints/{checkpoint}.json"

    def checkpoint_stamps(self, checkpoint: str = "{checkpoint}") -> str:
        """Sizes and times of its files, by which jobs see that they are unchanged."""
        return f"{self.root}/checkpoints/{checkpoint}.stamps.json"

    def checkpoint_folder(self, checkpoint: str) -> str:
        """Folder of a checkpoint: the user's own, or where a revision is downloaded to.

        Revisions have folders of their own, so that studies do not take each
        other's weights away.
        """
        source = self.study.checkpoints[checkpoint]
        if source.path is not None:
            return source.path
        parts = (str(source.hub), source.revision)
        return "/".join([DOWNLOADS, *(part.replace("/", "--") for part in parts)])

    def embedding(
        self, model: str = "{model}", instruction: str = "{instruction}", block: str = "{block}"
    ) -> str:
        """States of every layer for the images of a block."""
        return f"{self.root}/embeddings/{model}/{instruction}/{block}.nc"

    def fit(
        self,
        subject: str = "{subject}",
        model: str = "{model}",
        instruction: str = "{instruction}",
        layer: int | str = "{layer}",
    ) -> str:
        """Scores of the encoding model of one feature space."""
        return f"{self.root}/fits/{subject}/{model}/{instruction}/layer-{layer}.nc"

    def scores(self, subject: str = "{subject}", model: str = "{model}") -> str:
        """Scores of all feature spaces of a model."""
        return f"{self.root}/scores/{subject}/{model}.nc"

    def ceiling(self, subject: str = "{subject}") -> str:
        """Noise ceilings of a subject."""
        return f"{self.root}/ceilings/{subject}.nc"

    def cross_subject(self, subject: str = "{subject}") -> str:
        """Noise ceiling of a subject from other subjects."""
        return f"{self.root}/ceilings/cross_subject/{subject}.nc"

    def prediction(
        self,
        subject: str = "{subject}",
        model: str = "{model}",
        instruction: str = "{instruction}",
    ) -> str:
        """Test images as predicted at every voxel's selected layer."""
        return f"{self.root}/predictions/{subject}/{model}/{instruction}.nc"

    def model_comparison(self, subject: str = "{subject}") -> str:
        """Models of one subject, compared."""
        return f"{self.root}/comparisons/models/{subject}.nc"

    def instruction_comparison(self, subject: str = "{subject}", model: str = "{model}") -> str:
        """Instructions of one subject and model, compared in pairs."""
        return f"{self.root}/comparisons/instructions/{subject}/{model}.nc"

    def partition(self, subject: str = "{subject}", model: str = "{model}") -> str:
        """Shared and unique variance of pairs of instructions."""
        return f"{self.root}/partition/{subject}/{model}.nc"

    def partition_table(
        self, subject: str = "{subject}", model: str = "{model}", kind: str = "regions"
    ) -> str:
        """Partitioned variance per region, or (``matrix``) of the mask as a matrix."""
        return f"{self.root}/tables/partition/{subject}/{model}_{kind}.tsv"

    def concepts(self, subject: str = "{subject}", model: str = "{model}") -> str:
        """Winning instruction within each concept group, per voxel."""
        return f"{self.root}/concepts/{subject}/{model}.nc"

    def concept_table(self, subject: str = "{subject}", model: str = "{model}") -> str:
        """Winners within concept groups, per region."""
        return f"{self.root}/tables/concepts/{subject}/{model}.tsv"

    def winners(self, subject: str = "{subject}", model: str = "{model}") -> str:
        """Winning instruction and layer of every voxel."""
        return f"{self.root}/winners/{subject}/{model}.nc"

    def roi_table(self, subject: str = "{subject}", model: str = "{model}") -> str:
        """Alignment of one subject and model per region and instruction."""
        return f"{self.root}/tables/rois/{subject}/{model}.tsv"

    def layer_table(self, subject: str = "{subject}", model: str = "{model}") -> str:
        """Alignment of one subject and model per region, instruction and layer."""
        return f"{self.root}/tables/layers/{subject}/{model}.tsv"

    def table(self, name: str) -> str:
        """Build the name of a table of the whole study."""
        return f"{self.root}/tables/{name}.tsv"

    def said(self, model: str = "{model}", instruction: str = "{instruction}") -> str:
        """Build the name of what a model answered to an instruction, image by image."""
        return f"{self.root}/answers/{model}/{instruction}.tsv"

    def figure(self, name: str, suffix: str = "svg") -> str:
        """Build the name of a figure; its table has the same name."""
        return f"{self.root}/figures/{name}.{suffix}"

    def pycortex_store(self) -> str:
        """Marker of the study's private pycortex store."""
        return f"{self.root}/pycortex/ready.json"

    def packed_surface(self, surface: str = "{surface}") -> str:
        """Folder with a pycortex subject's surfaces, packed for browsers."""
        return f"{self.root}/pycortex/webgl/{surface}"

    def viewer(self, subject: str = "{subject}") -> str:
        """Folder with the interactive page of a subject."""
        return f"{self.root}/viewer/{subject}"

    def viewer_index(self) -> str:
        """Page that leads to the interactive pages."""
        return f"{self.root}/viewer/index.html"

    def methods(self, suffix: str = "html") -> str:
        """Build the name of what was done, as text to quote, or its references (bib)."""
        return f"{self.root}/methods/methods.{suffix}"

    def derivatives(self, name: str) -> str:
        """Build the name of a file or folder of the exported dataset."""
        return f"{self.root}/derivatives/{name}"

    def export(self, participant: str = "{participant}") -> str:
        """Folder with a subject's exported maps; participant ``01`` is ``subj01``."""
        return self.derivatives(f"sub-{participant}")

    def anatomy(self) -> str:
        """Regions that a synthetic data set is laid out on."""
        return f"{self.root}/synthetic/anatomy.nc"

    def planted_features(self, model: str = "{model}", instruction: str = "{instruction}") -> str:
        """Features that drive planted regions."""
        return f"{self.root}/synthetic/features/{model}/{instruction}.nc"

    def truth(self, subject: str = "{subject}") -> str:
        """Truth about a synthetic subject."""
        return f"{self.study.data.nsd_root}/brainstruct_truth/{subject}.nc"

    def log(self, name: str) -> str:
        """Build the name of a job's log from ``rule/wildcards``."""
        return f"{self.root}/logs/{name}.log"

    def benchmark(self, name: str) -> str:
        """Build the name of a job's benchmark file from ``rule/wildcards``."""
        return f"{self.root}/benchmarks/{name}.tsv"

    # Lists of names.

    def blocks_of(self, owner: str) -> list[str]:
        """Return the blocks of a subject's own images, or of the shared ones."""
        images = SHARED_IMAGES if owner == SHARED else OWN_IMAGES
        count = -(-images // self.study.data.images_per_block)
        return [f"{owner}-{index:03d}" for index in range(count)]

    @cached_property
    def blocks(self) -> list[str]:
        """All blocks of the study."""
        owners = [SHARED, *self.study.subjects]
        return [block for owner in owners for block in self.blocks_of(owner)]

    def layer_chunks(self, model: Model) -> list[tuple[int, ...]]:
        """Cut a model's fitted layers into the layers of one job each."""
        layers = model.fitted_layers
        size = self.study.encoding.layers_per_job
        step = len(layers) if size == "all" else size
        return [tuple(layers[start : start + step]) for start in range(0, len(layers), step)]

    def instruction_chunks(self, model: Model) -> list[tuple[str, ...]]:
        """Cut a model's instructions into the instructions of one embedding job each."""
        names = self.study.instructions_of(model)
        size = self.study.embedding.instructions_per_job
        step = len(names) if size == "all" else size
        return [tuple(names[start : start + step]) for start in range(0, len(names), step)]

    def embed_jobs(self) -> dict[str, EmbedJob]:
        """Return the kinds of embedding jobs: name of the rule -> what its jobs do.

        With one instruction per job, the usual case, there is one kind.
        """
        if self.study.embedding.instructions_per_job == 1:
            return {"embed": EmbedJob(("{instruction}",), tuple(m.key for m in self.study.models))}
        found: dict[tuple[str, ...], list[str]] = {}
        for model in self.study.models:
            for chunk in self.instruction_chunks(model):
                found.setdefault(chunk, []).append(model.key)
        return {
            # Doubled, so that the keys "a-b" and "a", "b" give two names.
            f"embed_{'_'.join(chunk)}".replace("-", "__"): EmbedJob(chunk, tuple(models))
            for chunk, models in found.items()
        }

    def fit_jobs(self) -> list[FitJob]:
        """Return the kinds of fit jobs, each with the models that have it."""
        found: dict[tuple[tuple[int, ...], int], list[str]] = {}
        for model in self.study.models:
            for chunk in self.layer_chunks(model):
                found.setdefault((chunk, len(model.fitted_layers)), []).append(model.key)
        return [FitJob(layers, count, tuple(keys)) for (layers, count), keys in found.items()]

    @cached_property
    def split_models(self) -> list[str]:
        """Models whose layers are fitted by several jobs, none of which sees all scores."""
        return [model.key for model in self.study.models if len(self.layer_chunks(model)) > 1]

    def embeddings_of(self, subject: str, model: str, instruction: str) -> list[str]:
        """Return the embeddings of everything a subject saw: own images, then shared ones."""
        blocks = self.blocks_of(subject) + self.blocks_of(SHARED)
        return [self.embedding(model, instruction, block) for block in blocks]

    def fits_of(self, subject: str, model: str) -> list[str]:
        """Return all fits of a subject and model."""
        entry = self.study.model(model)
        return [
            self.fit(subject, model, instruction, layer)
            for instruction in self.study.instructions_of(entry)
            for layer in entry.fitted_layers
        ]

    def pairs(self, only_instructed: bool = False) -> Iterator[tuple[str, str]]:
        """Iterate over subjects and models.

        Parameters
        ----------
        only_instructed : bool
            Leave out models that follow no instructions.
        """
        for subject in self.study.subjects:
            for model in self.study.models:
                if model.follows_instructions or not only_instructed:
                    yield subject, model.key

    @cached_property
    def all_responses(self) -> list[str]:
        """Responses of every subject."""
        return [self.responses(subject) for subject in self.study.subjects]

    @cached_property
    def all_stimuli(self) -> list[str]:
        """Image lists of every subject and block."""
        lists = [self.stimuli(subject) for subject in self.study.subjects]
        return lists + [self.block(block) for block in self.blocks]

    @cached_property
    def all_embeddings(self) -> list[str]:
        """Embeddings of every model, instruction and block."""
        return [
            self.embedding(model.key, instruction, block)
            for model in self.study.models
            for instruction in self.study.instructions_of(model)
            for block in self.blocks
        ]

    @cached_property
    def all_fits(self) -> list[str]:
        """Fits of every subject and model."""
        return [path for subject, model in self.pairs() for path in self.fits_of(subject, model)]

    @cached_property
    def all_scores(self) -> list[str]:
        """Scores of every subject and model."""
        return [self.scores(subject, model) for subject, model in self.pairs()]

    @cached_property
    def all_roi_tables(self) -> list[str]:
        """Regional alignment of every subject and model."""
        return [self.roi_table(subject, model) for subject, model in self.pairs()]

    @cached_property
    def all_layer_tables(self) -> list[str]:
        """Regional alignment by layer of every subject and model."""
        return [self.layer_table(subject, model) for subject, model in self.pairs()]

    @cached_property
    def compared_models(self) -> list[str]:
        """Models that some comparison names, in the order of the study."""
        named = {key for pair in self.study.compared_models for key in pair}
        return [model.key for model in self.study.models if model.key in named]

    @cached_property
    def instructed_models(self) -> list[str]:
        """Models with two instructions or more."""
        return [
            model.key for model in self.study.models if len(self.study.instructions_of(model)) > 1
        ]

    @cached_property
    def mllms(self) -> list[str]:
        """Models that follow instructions, with trained weights."""
        return [
            model.key
            for model in self.study.models
            if model.follows_instructions and model.random_seed is None
        ]

    @cached_property
    def concept_models(self) -> list[str]:
        """Models that were given an instruction of some concept."""
        grouped = {key for members in self.study.concepts.values() for key in members}
        return [
            model
            for model in self.instructed_models
            if grouped.intersection(self.study.instructions_of(self.study.model(model)))
        ]

    def partition_pairs(self, model: str) -> list[tuple[str, str]]:
        """Return the pairs of instructions whose variance is partitioned."""
        names = self.study.instructions_of(self.study.model(model))
        reference = self.study.partition.reference
        if reference == "all":
            return list(combinations(names, 2))
        return [(reference, name) for name in names if name != reference and reference in names]

    @cached_property
    def all_statistics(self) -> list[str]:
        """Comparisons, partitions and concept groups."""
        found = [self.table("alignment_subjects")]
        if self.study.compared_models:
            found.append(self.table("model_comparisons"))
        if self.instructed_models:
            found.append(self.table("instruction_comparisons"))
        for subject in self.study.subjects:
            for model in self.instructed_models:
                if self.partition_pairs(model):
                    found += [
                        self.partition_table(subject, model, kind) for kind in ("regions", "matrix")
                    ]
                if model in self.concept_models:
                    found.append(self.concept_table(subject, model))
        return found

    @cached_property
    def all_figures(self) -> list[str]:
        """Every figure of the study."""
        names = ["roi_bars", "layer_profiles", "noise_ceiling"]
        names += ["instruction_rois"] if self.mllms else []
        for subject in self.study.subjects:
            names += [f"alignment_maps/{subject}"] if self.mllms else []
            names += [f"model_scatter/{subject}"] if len(self.mllms) > 1 else []
            names += [f"concepts/{subject}_{model}" for model in self.concept_models]
        for model in self.instructed_models:
            names += [f"shared_variance/{model}"] if self.partition_pairs(model) else []
        for subject, model in self.pairs():
            names.append(f"winning_layer/{subject}_{model}")
        for subject, model in self.pairs(only_instructed=True):
            if len(self.study.instructions_of(self.study.model(model))) > 1:
                names.append(f"winning_instruction/{subject}_{model}")
        if self.study.synthetic is not None:
            names += [f"planted_recovered/{subject}_{model}" for subject, model in self.planted()]
        return [self.figure(name) for name in names]

    @cached_property
    def all_viewers(self) -> list[str]:
        """Interactive pages of every subject, and the page that leads to them."""
        return [*(self.viewer(subject) for subject in self.study.subjects), self.viewer_index()]

    @cached_property
    def all_tables(self) -> list[str]:
        """Tables of the whole study."""
        names = ["alignment", "layers"]
        if self.planted():
            names.append("recovery")
        return [self.table(name) for name in names]

    @cached_property
    def exported_tables(self) -> list[str]:
        """Tables that are copied into the exported dataset."""
        named = [*self.all_tables, *self.all_statistics]
        named += [*self.all_roi_tables, *self.all_layer_tables]
        return named + [self.stimuli(subject) for subject in self.study.subjects]

    @cached_property
    def all_exports(self) -> list[str]:
        """The exported dataset: its description, and a folder per subject."""
        folders = [self.export(name.removeprefix("subj")) for name in self.study.subjects]
        return [self.derivatives("dataset_description.json"), *folders]

    def planted(self) -> list[tuple[str, str]]:
        """Return subjects and models that drive planted regions of a synthetic study."""
        synthetic = self.study.synthetic
        models = {entry.model for entry in synthetic.planted} if synthetic else set()
        return [pair for pair in self.pairs(only_instructed=True) if pair[1] in models]
