"""The tables of a study, and those of their columns that mean something there alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from brainstruct.dictionary.column import Column
from brainstruct.dictionary.columns import ALIGNMENT, COMMON, EXPLAINABLE, R2, SHARE, R


@dataclass(frozen=True)
class Table:
    """A kind of table.

    Attributes
    ----------
    pattern : str
        Its path below the results, with ``*``.
    description : str
        What a row is.
    columns : mapping
        Columns that mean something else here than elsewhere, or are here only.
    others : Column, optional
        What columns are that have the study's own names (models, instructions, regions).
    """

    pattern: str
    description: str
    columns: Mapping[str, Column] = field(default_factory=dict)
    others: Column | None = None

    def column(self, name: str) -> Column | None:
        """Return what a column means, if it is known."""
        return self.columns.get(name) or COMMON.get(name) or self.others


_CEILINGS = {
    "ncsnr": "the ceiling from the NSD's ncsnr",
    "cross_subject": "the ceiling from other subjects' responses",
}

_INSTRUCTION = Column(
    "Key of the instruction the model was given.",
    levels={
        "none": "the model follows no instructions",
        "mean": "mean over the model's instructions",
    },
)

_SCORES = {
    "instruction": _INSTRUCTION,
    "n_significant": Column(
        "Voxels, of those that are not excluded, that are predicted better than chance: "
        "permutations of test images, false discovery rate of 0.05 over the voxels of the mask.",
        "voxels",
    ),
    "share_significant": Column("n_significant as a share of the voxels not excluded.", SHARE),
    **{
        name: column
        for kind, words in _CEILINGS.items()
        for name, column in {
            f"alignment_{kind}": Column(
                f"As alignment, with {words} and the voxels it keeps.", ALIGNMENT
            ),
            f"r_{kind}": Column(f"As r, over the voxels that {words} keeps.", R),
            f"n_excluded_{kind}": Column(f"Voxels that {words} excludes.", "voxels"),
        }.items()
    },
}

_LAYER = Column("Layer of the model; 0: the token (or patch) embeddings.", "layer")

_BY_LAYER = {
    **_SCORES,
    "layer": _LAYER,
}

_STATISTICS = {
    "r": R,
    "alignment": ALIGNMENT,
    "alignment_ncsnr": ALIGNMENT,
    "alignment_cross_subject": ALIGNMENT,
    "r_ncsnr": R,
    "r_cross_subject": R,
    "share_significant": SHARE,
}

_OVER_SUBJECTS = {
    "instruction": _INSTRUCTION,
    **{
        name: column
        for value, units in _STATISTICS.items()
        for name, column in {
            f"{value}_mean": Column(f"Mean of {value} (alignment.tsv) over subjects.", units),
            f"{value}_sem": Column(
                f"Standard error over subjects of {value}; n/a with one subject.", units
            ),
            f"{value}_n_subjects": Column(f"Subjects in whom {value} is known.", "subjects"),
        }.items()
    },
}


def _compared(side: str) -> str:
    return (
        f"Score of {side}, in the units of the measure, of the predictions at each voxel's best "
        "layer, also where alignment.tsv holds means over layers."
    )


_COMPARISON = {
    "measure": Column(
        "What is compared.",
        levels={
            "r": "mean of Pearson's r over the region's voxels",
            "alignment": "mean of normalised brain alignment over the region's voxels",
        },
    ),
    "a": Column("The first model, or instruction."),
    "b": Column("The second model, or instruction."),
    "score_a": Column(_compared("a"), "that of the measure"),
    "score_b": Column(_compared("b"), "that of the measure"),
    "difference": Column("score_a - score_b.", "that of the measure"),
    "se": Column(
        "Standard error of the difference over bootstrap samples of test images.",
        "that of the measure",
    ),
    "ci_low": Column(
        "Lower end of the 95 % percentile interval of the difference.", "that of the measure"
    ),
    "ci_high": Column(
        "Upper end of the 95 % percentile interval of the difference.", "that of the measure"
    ),
    "p": Column(
        "Two-sided p of the difference, from difference / se and the normal distribution. It "
        "generalises to other images seen by these subjects.",
        "probability",
    ),
    "q": Column(
        "p after control of the false discovery rate (Benjamini-Hochberg) over the regions and "
        "comparisons of one subject and measure.",
        "probability",
    ),
    "cohen_q": Column(
        "Effect size: mean over voxels of atanh(r_a) - atanh(r_b); 0.1 is called small, 0.3 "
        "medium, 0.5 large.",
        "arbitrary",
    ),
    "share_better": Column("Voxels of the region in which a is better.", SHARE),
    "share_significant": Column(
        "Voxels of the region that differ, either way, at a false discovery rate of 0.05.", SHARE
    ),
    "wilcoxon_voxels_p": Column(
        "Wilcoxon signed-rank test over voxels, as earlier work reports it. Voxels are not "
        "independent, so it is far too small: judge by p and q.",
        "probability",
    ),
    "wilcoxon_subjects_p": Column(
        "Two-sided exact Wilcoxon signed-rank test over subjects; rows of the group only.",
        "probability",
    ),
    "wilcoxon_subjects_floor": Column(
        "The smallest p that this test can have with so many subjects.", "probability"
    ),
    "n_subjects": Column("Subjects who have the region; rows of the group only.", "subjects"),
    "n_better": Column("Subjects in whom a is better; rows of the group only.", "subjects"),
    "n_significant": Column(
        "Subjects with q <= 0.05 and the group's sign; rows of the group only.", "subjects"
    ),
}

_PARTITION = {
    "a": Column("Key of the first instruction."),
    "b": Column("Key of the second instruction."),
    "layer_a": Column("Layer of a, the most frequent among the region's voxels.", "layer"),
    "layer_b": Column("Layer of b, the most frequent among the region's voxels.", "layer"),
    "r2_joint": Column("Mean R2 of the encoding model of both, on test images.", R2),
    "split_a": Column("Part of r2_joint that the joint model's weights on a account for.", R2),
    "split_b": Column("Part of r2_joint that the joint model's weights on b account for.", R2),
    "shared_of_joint": Column("shared / r2_joint, a ratio of the means.", "arbitrary"),
    **{
        f"{name}_of_ceiling": Column(
            f"{name} as a share of what can be explained: mean / mean squared noise ceiling.",
            EXPLAINABLE,
        )
        for name in ("r2_a", "r2_b", "r2_joint", "shared", "unique_a", "unique_b")
    },
    **{
        f"{name}_negative": Column(f"Voxels in which {name} is below zero.", SHARE)
        for name in ("shared", "unique_a", "unique_b")
    },
}

_CONCEPTS = {
    "concept": Column("Group of instructions that compete with each other."),
    "instruction": Column("Key of an instruction of the group."),
    "share_won": Column("Reliable voxels whose best instruction within the group this is.", SHARE),
    "share_concept": Column("Reliable voxels whose best concept this is.", SHARE),
    "alignment": replace(COMMON["alignment"], description="Mean alignment of the instruction."),
}

_RECOVERY = {
    "roi": Column("Planted region.", levels={"all": "every planted voxel"}),
    "instruction": Column("Key of the planted instruction; empty for all regions together."),
    "layer": Column("The planted layer; -1 for all regions together.", "layer"),
    "n_planted": Column("Voxels with a planted signal.", "voxels"),
    "instruction_found": Column("Reliable voxels whose planted instruction won.", SHARE),
    "layer_found": Column(
        "Of these, voxels whose planted layer, or a neighbour of it, was found.", SHARE
    ),
    "median_layer_error": Column("Median distance to the planted layer in these voxels.", "layer"),
}

_IMAGES = {
    "split": Column(
        "What the image is used for.",
        levels={
            "train": "fitting: the subject's own images",
            "test": "scoring: the images that all subjects saw",
        },
    ),
    "repetitions": Column("Trials in which the subject saw it in the sessions used.", "trials"),
    "trials": Column("These trials, counted from 0 over all sessions, separated by commas."),
}

_ANSWERS = {
    "response": Column(
        r"What the model answered; backslash, tab and line ends are written \\, \t, \n, \r."
    ),
    "n_tokens": Column("Tokens of the response; 0: an empty response.", "tokens"),
    "truncated": Column(
        "Whether the response was cut at the longest that is allowed.",
        levels={"True": "cut", "False": "whole"},
    ),
}

_REGION = Column("Region: a family of labels, or the mask.")

_MEAN = {
    "roi": _REGION,
    "mean": Column("Mean alignment over subjects.", ALIGNMENT),
    "sem": Column("Standard error over subjects; n/a with one subject.", ALIGNMENT),
    "subjects": Column("Subjects in the mean.", "subjects"),
    "instruction": _INSTRUCTION,
}

_DSEG = {
    "name": Column("What the number stands for: the key of an instruction, or a layer."),
    "color": Column("Its colour in the study's figures, hexadecimal."),
    "task": Column("Kind of task of the instruction."),
    "text": Column("What the model was told, verbatim."),
    "layer": Column("Number of the layer; 0: the token (or patch) embeddings.", "layer"),
}

_PARTICIPANTS = {
    "participant_id": Column("Participant of this dataset."),
    "nsd_subject": Column("The same subject in the NSD's own names."),
    "sessions": Column("Sessions of the NSD that were used.", "sessions"),
    "n_train": Column("Images that encoding models were fitted on.", "images"),
    "n_test": Column("Images that they were scored on.", "images"),
    "n_mask_voxels": Column("Voxels of the mask.", "voxels"),
    "n_voxels": Column("Voxels that were analysed: constant in no session.", "voxels"),
    "n_excluded": Column("Of these, voxels with a noise ceiling under the threshold.", "voxels"),
}

_SCORED = "Scores per region and instruction"

TABLES: tuple[Table, ...] = (
    Table("tables/alignment.tsv", f"{_SCORED}, of all subjects and models.", _SCORES),
    Table("tables/rois/*.tsv", f"{_SCORED}, of one subject and model.", _SCORES),
    Table("tables/layers.tsv", f"{_SCORED} and layer, of all subjects and models.", _BY_LAYER),
    Table("tables/layers/*.tsv", f"{_SCORED} and layer, of one subject and model.", _BY_LAYER),
    Table("tables/alignment_subjects.tsv", f"{_SCORED}, over subjects.", _OVER_SUBJECTS),
    Table(
        "tables/model_comparisons.tsv",
        "Differences between two models, per region, subject and measure, resampling test images.",
        _COMPARISON,
    ),
    Table(
        "tables/instruction_comparisons.tsv",
        "Differences between two instructions, per region, subject, model and measure, "
        "resampling test images.",
        _COMPARISON,
    ),
    Table(
        "tables/partition/*_regions.tsv",
        "Variance that two instructions explain together and apart, per region.",
        _PARTITION,
    ),
    Table(
        "tables/partition/*_matrix.tsv",
        "Variance shared by pairs of instructions, over the whole mask, as a matrix; on the "
        "diagonal an instruction's own R2.",
        {"instruction": Column("Key of an instruction.")},
        Column("Variance shared with the instruction of this name; n/a: not partitioned.", R2),
    ),
    Table("tables/concepts/*.tsv", "Winners within groups of instructions.", _CONCEPTS),
    Table(
        "tables/recovery.tsv",
        "Planted feature spaces of a synthetic study that were found back.",
        _RECOVERY,
    ),
    Table("stimuli/blocks/*.tsv", "Images of one embedding job."),
    Table("stimuli/*.tsv", "Images that the subject saw in the sessions used.", _IMAGES),
    Table("answers/*.tsv", "Responses of one model to one instruction.", _ANSWERS),
    Table(
        "figures/roi_bars.tsv",
        "Alignment per region and model.",
        {
            **_MEAN,
            "value": Column("Mean alignment of the subject's voxels.", ALIGNMENT),
            "mark": Column(
                "Baselines that the model is significantly better than, at each voxel's best "
                "layer; see the figure's caption."
            ),
        },
    ),
    Table(
        "figures/instruction_rois.tsv",
        "Alignment per region, model and instruction.",
        {
            **_MEAN,
            "roi": Column(
                "Region: a label, with its family in brackets where several have it, or the mask."
            ),
            "mark": Column(
                "*: significantly ahead of every other instruction of the model, at each voxel's "
                "best layer."
            ),
        },
    ),
    Table(
        "figures/layer_profiles.tsv",
        "Alignment per region, model and layer, mean over instructions.",
        {
            **_MEAN,
            "layer": _LAYER,
            "depth": Column("layer / last layer of the model.", SHARE),
        },
    ),
    Table(
        "figures/noise_ceiling.tsv",
        "Noise ceiling of every voxel.",
        {
            "ceiling": Column("Kind of noise ceiling.", levels=dict(_CEILINGS)),
            "value": Column("Noise ceiling: the best possible correlation.", R),
        },
    ),
    Table(
        "figures/model_scatter/*.tsv",
        "Alignment of every voxel under each multimodal model, and membership in regions.",
        others=Column(
            "Under the key of a model: normalised alignment, mean over instructions. Under the "
            "name of a region: 1 for its voxels, else 0."
        ),
    ),
    Table(
        "figures/alignment_maps/*.tsv",
        "Alignment and margin of the winner in every voxel.",
        {
            "alignment": Column(
                "Normalised alignment of the winning instruction on the test images.", ALIGNMENT
            )
        },
    ),
    Table(
        "figures/winning_instruction/*.tsv",
        "Winning instruction of every voxel.",
        {"instruction": Column("Key of the winner; empty: ceiling under the threshold.")},
    ),
    Table(
        "figures/winning_layer/*.tsv",
        "Winning layer of every voxel.",
        {"layer": replace(_LAYER, description=f"{_LAYER.description} n/a: ceiling too low.")},
    ),
    Table(
        "figures/concepts/*.tsv",
        "Best concept of every voxel, and the best instruction within each.",
        {"concept": Column("Best concept; empty: ceiling under the threshold.")},
        Column("within_<concept>: key of the best instruction of this concept."),
    ),
    Table(
        "figures/planted_recovered/*.tsv",
        "Planted and recovered instruction of every voxel of a synthetic study.",
        {
            "planted": Column("Key of the planted instruction; empty: none, noise only."),
            "recovered": Column("Key of the winner; empty: ceiling under the threshold."),
        },
    ),
    Table(
        "figures/shared_variance/*.tsv",
        "Explainable variance that pairs of instructions explain together and apart, per region.",
        {
            "roi": _REGION,
            **{
                name: Column(
                    f"{COMMON[name].description.rstrip('.')}; as a share of the region's mean "
                    "squared noise ceiling.",
                    EXPLAINABLE,
                )
                for name in ("r2_a", "r2_b", "shared", "unique_a", "unique_b")
            },
            "a": Column("Key of the first instruction."),
            "b": Column("Key of the second instruction."),
            "other": Column("In pairs of the reference instruction: the other one."),
            **{
                f"{part}_{value}": Column(f"{words} over subjects of {what}.", EXPLAINABLE)
                for part, what in {
                    "unique_reference": "what the reference instruction alone explains",
                    "shared": "what both explain",
                    "unique_other": "what the other instruction alone explains",
                }.items()
                for value, words in {"mean": "Mean", "sem": "Standard error"}.items()
            },
        },
    ),
    Table("dseg.tsv", "What the numbers of a map stand for.", _DSEG),
    Table("participants.tsv", "Subjects of the dataset.", _PARTICIPANTS),
)
"""In order: the first whose pattern fits is a table's."""


def table_of(path: str) -> Table | None:
    """Return the kind of a table, by its path below the results (with ``/``)."""
    return next((table for table in TABLES if fnmatchcase(path, table.pattern)), None)
