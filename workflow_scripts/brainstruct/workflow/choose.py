"""Input and parameter functions of the rules: from wildcards to values.

Snakemake calls them with the wildcards of a job; they look at the
configuration and at file names only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from brainstruct.config.study import NO_INSTRUCTION, Study
from brainstruct.figures.store_names import name_in_store
from brainstruct.models.builders import BUILDERS
from brainstruct.models.registry import FAMILIES
from brainstruct.workflow.identity import stage_identity
from brainstruct.workflow.inputs import Inputs
from brainstruct.workflow.targets import SHARED, Targets


@dataclass(frozen=True)
class Choose:
    """What a job gets, given its wildcards.

    Attributes
    ----------
    study : Study
        The checked configuration.
    targets : Targets
        File names of results.
    inputs : Inputs
        File names of the data set.
    """

    study: Study
    targets: Targets
    inputs: Inputs

    @property
    def layout(self) -> dict[str, Any]:
        """Arguments of `brainstruct.nsd.layout.Layout`, for scripts."""
        return self.study.data.model_dump(include={"nsd_root", "annotations", "space", "betas"})

    @property
    def image_layout(self) -> dict[str, Any]:
        """As `layout`, for scripts that read no responses: which they are is no matter to them."""
        return self.study.data.model_dump(include={"nsd_root", "annotations"})

    def subject_files(self, wildcards: Any) -> list[str]:
        """Betas, ncsnr and mask of the job's subject."""
        return self.inputs.subject(wildcards.subject)

    def region_files(self, wildcards: Any) -> list[str]:
        """Families of regions of the job's subject."""
        return self.inputs.regions(wildcards.subject)

    def sessions(self, wildcards: Any) -> int:
        """Sessions of the job's subject."""
        return self.inputs.sessions(wildcards.subject)

    def block_sessions(self, wildcards: Any) -> int:
        """Sessions in which the images of a block were shown."""
        if wildcards.owner == SHARED:
            return self.inputs.longest
        return self.inputs.sessions(wildcards.owner)

    def betas_format(self, wildcards: Any) -> str:
        """Format of the betas of the job's subject."""
        return self.inputs.betas_format(wildcards.subject)

    def checkpoint_folder(self, wildcards: Any) -> str | list[str]:
        """Folder of a checkpoint that this workflow builds itself, if it does."""
        synthetic = self.study.synthetic
        if synthetic is None or wildcards.checkpoint not in synthetic.checkpoints:
            return []
        return self.study.checkpoints[wildcards.checkpoint].path or []

    def checkpoint_source(self, wildcards: Any) -> dict[str, Any]:
        """Where a checkpoint comes from."""
        return self.study.checkpoints[wildcards.checkpoint].model_dump()

    def checkpoint_place(self, wildcards: Any) -> str:
        """Folder in which a checkpoint lies or will lie."""
        return self.targets.checkpoint_folder(wildcards.checkpoint)

    def checkpoint_stamps(self, wildcards: Any) -> str:
        """Sizes and times of the files of the job's model's checkpoint."""
        return self.targets.checkpoint_stamps(self.study.model(wildcards.model).checkpoint)

    def checkpoint(self, wildcards: Any) -> str:
        """Manifest of the checkpoint of the job's model."""
        return self.targets.checkpoint(self.study.model(wildcards.model).checkpoint)

    def stimuli(self, wildcards: Any) -> list[str]:
        """Files that the job's model looks at."""
        return self.inputs.stimuli(self.study.model(wildcards.model).reads_captions)

    def model(self, wildcards: Any) -> dict[str, Any]:
        """Everything that decides what the job's model makes of a stimulus."""
        return self.settings(wildcards.model)

    def settings(self, key: str) -> dict[str, Any]:
        """Everything that decides what a model makes of a stimulus."""
        model = self.study.model(key)
        decides = {"family", "checkpoint", "n_layers", "random_seed"}
        running = {"max_new_tokens", "pooling", "dtype", "storage"}
        embedding = self.study.embedding
        sampling = None if embedding.decoding == "greedy" else embedding.decoding.model_dump()
        return (
            model.model_dump(include=decides)
            | embedding.model_dump(include=running)
            | {"sampling": sampling}
        )

    def texts_of(self, instructions: Iterable[str]) -> dict[str, str | None]:
        """Key -> text of instructions; `None` for models that follow none."""
        return {key: self._text(key) for key in instructions}

    def texts(self, instructions: tuple[str, ...]) -> Callable[[Any], dict[str, str | None]]:
        """Return the function that gives a job key -> text of its instructions.

        Parameters
        ----------
        instructions : tuple of str
            Keys, or wildcards in braces.
        """

        def chosen(wildcards: Any) -> dict[str, str | None]:
            return self.texts_of(instruction.format(**wildcards) for instruction in instructions)

        return chosen

    def _text(self, instruction: str) -> str | None:
        if instruction == NO_INSTRUCTION:
            return None
        return self.study.instruction_texts[instruction].text

    @property
    def gpus_to_embed(self) -> int:
        """GPUs of a job that embeds."""
        return 0 if self.study.embedding.device == "cpu" else 1

    @property
    def gpus_to_fit(self) -> int:
        """GPUs of a job that fits."""
        return 1 if self.study.encoding.backend == "torch_cuda" else 0

    def embed_code(self, wildcards: Any) -> str:
        """Identity of the code that embeds with the job's model."""
        return self.model_code("embed", wildcards.model)

    def model_code(self, stage: str, key: str) -> str:
        """Identity of the code of a stage that runs a model of the study.

        Parameters
        ----------
        stage : str
            See `stage_identity`.
        key : str
            The model's.

        Returns
        -------
        str
            Twelve hexadecimal digits, and the class of the model's family.
        """
        family = FAMILIES[self.study.model(key).family]
        return f"{stage_identity(stage, family.module)} {family.name}"

    def builder(self, kind: str) -> str:
        """Return the module that builds a kind of tiny checkpoint."""
        return BUILDERS[kind]

    def embeddings(self, wildcards: Any) -> list[str]:
        """Embeddings of everything the job's subject saw."""
        return self.targets.embeddings_of(wildcards.subject, wildcards.model, wildcards.instruction)

    def model_embeddings(self, wildcards: Any) -> list[str]:
        """Embeddings of all images, of one model and instruction."""
        return [
            self.targets.embedding(wildcards.model, wildcards.instruction, block)
            for block in self.targets.blocks
        ]

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Models that follow instructions, and the instructions they are given."""
        return [
            (model.key, instruction)
            for model in self.study.models
            if model.follows_instructions
            for instruction in self.study.instructions_of(model)
        ]

    @property
    def said(self) -> list[str]:
        """Responses of everything in `asked`."""
        return [self.targets.said(*pair) for pair in self.asked]

    @property
    def answers_page(self) -> list[str]:
        """The page of answers, if any model answers."""
        return [self.targets.figure("responses", "html")] if self.asked else []

    @property
    def asked_labels(self) -> dict[str, str]:
        """Key -> label of the models in `asked`."""
        keys = {model for model, _ in self.asked}
        return {key: label for key, label in self.model_labels.items() if key in keys}

    @property
    def asked_entries(self) -> dict[str, dict[str, str]]:
        """Key -> task and text of the instructions in `asked`, in legend order."""
        keys = {instruction for _, instruction in self.asked}
        texts = self.study.instruction_texts
        return {key: texts[key].model_dump() for key in self.study.instructions if key in keys}

    @property
    def asked_texts(self) -> dict[str, str]:
        """Key -> text of the instructions in `asked`, in legend order."""
        return {key: entry["text"] for key, entry in self.asked_entries.items()}

    def fits(self, wildcards: Any) -> list[str]:
        """All fits of the job's subject and model."""
        return self.targets.fits_of(wildcards.subject, wildcards.model)

    def other_subjects(self, wildcards: Any) -> list[str]:
        """Every subject but the job's."""
        return [subject for subject in self.study.subjects if subject != wildcards.subject]

    def other_responses(self, wildcards: Any) -> list[str]:
        """Responses of every subject but the job's."""
        return [self.targets.responses(subject) for subject in self.other_subjects(wildcards)]

    def cross_subject_ceiling(self, wildcards: Any) -> list[str]:
        """Cross-subject ceiling of the job's subject, if there are others."""
        if len(self.study.subjects) < 2:
            return []
        return [self.targets.cross_subject(wildcards.subject)]

    @property
    def cross_subject(self) -> dict[str, Any]:
        """Options of the cross-subject ceiling."""
        return self.study.cross_subject.model_dump() | {"seed": self.study.seed}

    @property
    def statistics(self) -> dict[str, Any]:
        """Options of comparisons."""
        return {"n_draws": self.study.statistics.n_draws, "seed": self.study.seed}

    @property
    def compared_groups(self) -> dict[str, list[str]]:
        """Compared model -> its instructions."""
        return {
            key: self.study.instructions_of(self.study.model(key))
            for key in self.targets.compared_models
        }

    def compared_predictions(self, wildcards: Any) -> list[str]:
        """Predictions of all compared models, in the order of `compared_groups`."""
        return [
            self.targets.prediction(wildcards.subject, model, instruction)
            for model, instructions in self.compared_groups.items()
            for instruction in instructions
        ]

    def predictions(self, wildcards: Any) -> list[str]:
        """Predictions of the job's model, instruction by instruction."""
        return [
            self.targets.prediction(wildcards.subject, wildcards.model, instruction)
            for instruction in self.instructions(wildcards)
        ]

    def partition_pairs(self, wildcards: Any) -> list[tuple[str, str]]:
        """Pairs of instructions of the job's model."""
        return self.targets.partition_pairs(wildcards.model)

    def partition_embeddings(self, wildcards: Any) -> dict[str, list[str]]:
        """Instruction -> embeddings of everything the job's subject saw."""
        names = {name for pair in self.partition_pairs(wildcards) for name in pair}
        return {
            name: self.targets.embeddings_of(wildcards.subject, wildcards.model, name)
            for name in self.instructions(wildcards)
            if name in names
        }

    def partition_files(self, wildcards: Any) -> list[str]:
        """All files of `partition_embeddings`."""
        return [path for paths in self.partition_embeddings(wildcards).values() for path in paths]

    def instructions(self, wildcards: Any) -> list[str]:
        """Instruction keys of the job's model."""
        return self.study.instructions_of(self.study.model(wildcards.model))

    def layers(self, wildcards: Any) -> list[int]:
        """Fitted layers of the job's model."""
        return self.study.model(wildcards.model).fitted_layers

    def n_layers(self, wildcards: Any) -> int:
        """Hidden states of the job's model."""
        return self.study.model(wildcards.model).n_layers

    def title(self, wildcards: Any) -> str:
        """Title of a figure of one subject and model."""
        return f"{self.study.model(wildcards.model).label}, {wildcards.subject}"

    def flatmap(self, wildcards: Any) -> dict[str, Any]:
        """Whose flatmap a figure is drawn on; which cortex it shows is known to the store."""
        return {"subject": wildcards.subject}

    @property
    def flat_sources(self) -> dict[str, dict[str, Any]]:
        """Subject -> the cortex its flatmaps show, and why."""
        flatmaps = self.study.flatmaps
        return {
            subject: {
                "source": found.source,
                "reason": found.reason,
                "files": [str(path) for path in found.files],
                "name": flatmaps.subject.format(subject=subject),
                "transform": flatmaps.transform.format(subject=subject),
            }
            for subject, found in self.inputs.flat_sources.items()
        }

    def packed_surface(self, wildcards: Any) -> str:
        """Packed surfaces of the cortex that shows the job's subject."""
        shown = self.flat_sources[wildcards.subject]
        name = name_in_store(shown["source"], wildcards.subject, shown["name"])
        return self.targets.packed_surface(name)

    def viewer_winners(self, wildcards: Any) -> list[str]:
        """Winners of all models of the job's subject, in the order of figures."""
        return [self.targets.winners(wildcards.subject, model.key) for model in self.study.models]

    @property
    def viewer_models(self) -> list[dict[str, Any]]:
        """What the viewer says of every model: key, label, layers and instructions."""
        texts = self.study.instruction_texts
        return [
            {
                "key": model.key,
                "label": model.label,
                "n_layers": model.n_layers,
                "instructions": {
                    key: texts[key].text
                    for key in self.study.instructions_of(model)
                    if key != NO_INSTRUCTION
                },
            }
            for model in self.study.models
        ]

    @property
    def export_models(self) -> list[dict[str, Any]]:
        """What exports say of every model: key, label, layers and instructions."""
        return [
            {
                "key": model.key,
                "label": model.label,
                "n_layers": model.n_layers,
                "instructions": {
                    key: self.study.instruction_texts[key].model_dump()
                    for key in self.study.instructions_of(model)
                    if key != NO_INSTRUCTION
                },
            }
            for model in self.study.models
        ]

    def export_scores(self, wildcards: Any) -> list[str]:
        """Scores of all models of the exported subject, in the order of figures."""
        subject = f"subj{wildcards.participant}"
        return [self.targets.scores(subject, model.key) for model in self.study.models]

    def export_winners(self, wildcards: Any) -> list[str]:
        """Winners of all models of the exported subject, in the order of figures."""
        subject = f"subj{wildcards.participant}"
        return [self.targets.winners(subject, model.key) for model in self.study.models]

    def export_ceiling(self, wildcards: Any) -> str:
        """Noise ceilings of the exported subject."""
        return self.targets.ceiling(f"subj{wildcards.participant}")

    def export_grid(self, wildcards: Any) -> list[str]:
        """File of the data set that says where the exported subject's voxels lie."""
        return self.inputs.mask(f"subj{wildcards.participant}")

    def export_surfaces(self, wildcards: Any) -> dict[str, Any]:
        """Surfaces that the subject's maps are exported to; see `SurfaceSource`."""
        found = self.inputs.surface_sources[f"subj{wildcards.participant}"]
        return {
            "source": found.source,
            "average": found.average,
            "name": found.name,
            "transform": found.transform,
            "reason": found.reason,
        }

    def export_surface_files(self, wildcards: Any) -> list[str]:
        """Files that these surfaces are made of."""
        found = self.inputs.surface_sources[f"subj{wildcards.participant}"]
        store = [self.targets.pycortex_store()] if found.source == "store" else []
        return store + [str(path) for path in found.files]

    @property
    def export_surface_words(self) -> dict[str, str]:
        """Subject -> why its maps are on which surfaces."""
        return {subject: found.reason for subject, found in self.inputs.surface_sources.items()}

    @property
    def flatmaps(self) -> dict[str, dict[str, Any]]:
        """Subject -> whose flatmap its figures are drawn on; see `flatmap`."""
        return {subject: {"subject": subject} for subject in self.study.subjects}

    @property
    def model_comparisons(self) -> str | list[str]:
        """Table of compared models, if any are."""
        return self.targets.table("model_comparisons") if self.study.compared_models else []

    @property
    def instruction_comparisons(self) -> str | list[str]:
        """Table of compared instructions, if any model has several."""
        if not self.targets.instructed_models:
            return []
        return self.targets.table("instruction_comparisons")

    @property
    def baselines(self) -> dict[str, dict[str, Any]]:
        """Mark of a figure -> the models it says a model is better than, and their label."""
        models = self.study.models
        random = [model.key for model in models if model.random_seed is not None]
        vision = [model for model in models if model.family == "vit"]
        names = ", ".join(model.label for model in vision if model.random_seed is None)
        trained = [model.key for model in vision if model.random_seed is None]
        return {
            "*": {"models": random, "label": "random weights"},
            "^": {"models": trained, "label": names},
        }

    @property
    def mllm_labels(self) -> dict[str, str]:
        """Key -> label of the models in `Targets.mllms`."""
        return {key: self.model_labels[key] for key in self.targets.mllms}

    def mllm_winners(self, wildcards: Any) -> list[str]:
        """Winners of the job's subject under every model in `mllm_labels`."""
        return [self.targets.winners(wildcards.subject, model) for model in self.targets.mllms]

    def partition_tables(self, wildcards: Any) -> list[str]:
        """Regional partitions of the job's model, subject by subject."""
        return [
            self.targets.partition_table(subject, wildcards.model)
            for subject in self.study.subjects
        ]

    def partition_reference(self, wildcards: Any) -> str:
        """Instruction that the job's model's others are shown against."""
        return self.partition_pairs(wildcards)[0][0]

    def model_label(self, wildcards: Any) -> str:
        """Label of the job's model."""
        return self.model_labels[wildcards.model]

    def instruction_legend(self, wildcards: Any) -> dict[str, dict[str, str]]:
        """Key -> task and text of the instructions of the job's model, in legend order."""
        return {
            key: self.study.instruction_texts[key].model_dump()
            for key in self.instructions(wildcards)
        }

    @property
    def snakemake_version(self) -> str:
        """Version of Snakemake that runs the study."""
        return version("snakemake")

    @property
    def methods(self) -> dict[str, Any]:
        """What the methods say that no result knows."""
        study = self.study
        return {
            "name": study.study,
            "seed": study.seed,
            "synthetic": study.synthetic is not None,
            "space": study.data.space,
            "betas": study.data.betas,
            "mask": study.data.mask,
            "rois": study.data.rois,
            "alignment": study.alignment.model_dump(),
            "statistics": study.statistics.model_dump(include={"n_draws"}),
            "cross_subject": study.cross_subject.model_dump(
                include={"curve", "extrapolate_images"}
            ),
            "instructions": {
                key: study.instruction_texts[key].model_dump() for key in study.instructions
            },
            "models": [
                model.model_dump(include={"key", "label", "family"})
                | {
                    "instructions": self.study.instructions_of(model)
                    if model.follows_instructions
                    else []
                }
                for model in study.models
            ],
            "snakemake": self.snakemake_version,
        }

    @property
    def encoding(self) -> dict[str, Any]:
        """Everything in the encoding block that decides a fit's scores."""
        decides = {"preset", "backend", "permutations"}
        if self.study.encoding.preset is None:
            decides |= {"alphas", "folds", "alpha_score", "solver"}
        return self.study.encoding.model_dump(include=decides)

    @property
    def partition_encoding(self) -> dict[str, Any]:
        """Everything in the encoding block that decides a partition."""
        return self.study.encoding.model_dump(include={"alphas", "folds", "backend"})

    @property
    def model_labels(self) -> dict[str, str]:
        """Key -> label of every model, in the order of figures."""
        return {model.key: model.label for model in self.study.models}

    @property
    def hidden_states(self) -> dict[str, int]:
        """Key -> hidden states of every model, whichever of them are fitted."""
        return {model.key: model.n_layers for model in self.study.models}

    @property
    def families(self) -> list[str]:
        """The mask and the ROI families, in the order of figures."""
        return [self.study.data.mask, *self.study.data.rois]

    @property
    def synthetic_models(self) -> dict[str, dict[str, list[int]]]:
        """Model -> instruction -> layers that drive planted regions, sorted."""
        found: dict[str, dict[str, list[int]]] = {}
        for planted in self.study.synthetic.planted if self.study.synthetic else []:
            layers = found.setdefault(planted.model, {}).setdefault(planted.instruction, [])
            if planted.layer not in layers:
                layers.append(planted.layer)
                layers.sort()
        return found

    @property
    def planted_features(self) -> list[str]:
        """Feature files of everything that is planted."""
        return [
            self.targets.planted_features(model, instruction)
            for model, instructions in self.synthetic_models.items()
            for instruction in instructions
        ]
