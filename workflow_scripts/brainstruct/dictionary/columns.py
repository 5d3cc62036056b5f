"""Columns that mean the same in every table that has them."""

from __future__ import annotations

from brainstruct.dictionary.column import Column

R = "correlation"
ALIGNMENT = "arbitrary (r divided by the noise ceiling: 1 is as good as the noise allows)"
R2 = "share of variance"
EXPLAINABLE = "share of explainable variance"
SHARE = "share (0 to 1)"

COMMON: dict[str, Column] = {
    # Where a row belongs.
    "subject": Column(
        "Subject of the NSD; 'group' stands for all subjects of the study together.",
        levels={"group": "all subjects of the study"},
    ),
    "model": Column("Key of the model.", levels={"all": "the row compares models with each other"}),
    "family": Column(
        "ROI volume of the NSD, or the name of the mask: all analysed voxels together."
    ),
    "label": Column(
        "Label within the family.",
        levels={"all": "union of the labels of the family (of the mask: every analysed voxel)"},
    ),
    "nsd_id": Column("Image of the NSD, counted from 0: its row in nsd_stimuli.hdf5 (imgBrick)."),
    "coco_id": Column("Image of COCO that the image was cropped from."),
    "coco_split": Column(
        "Part of COCO that holds it.",
        levels={"train2017": "training images", "val2017": "validation images"},
    ),
    # Voxels.
    "i": Column("Voxel along the first axis of the subject's functional volume, from 0.", "voxel"),
    "j": Column("Voxel along the second axis, from 0.", "voxel"),
    "k": Column("Voxel along the third axis, from 0.", "voxel"),
    "n_voxels": Column("Voxels of the region; 0: the subject lacks it.", "voxels"),
    "n_excluded": Column(
        "Voxels of the region that were left out because the study's noise ceiling is under the "
        "threshold there.",
        "voxels",
    ),
    "n_reliable": Column(
        "Voxels whose noise ceiling reaches the threshold, which the shares are of.", "voxels"
    ),
    # Scores.
    "alignment": Column(
        "Mean normalised brain alignment over the voxels that are not excluded: Pearson's r on the "
        "test images divided by the study's noise ceiling.",
        ALIGNMENT,
    ),
    "r": Column("Mean of Pearson's r on the test images over the voxels that are not excluded.", R),
    "margin": Column(
        "Normalised alignment of the winning instruction minus that of the runner-up, on the test "
        "images; negative where these disagree with the choice.",
        ALIGNMENT,
    ),
    # Pairs of instructions.
    "r2_a": Column("Mean R2 of the encoding model of instruction a alone, on test images.", R2),
    "r2_b": Column("Mean R2 of the encoding model of instruction b alone, on test images.", R2),
    "shared": Column("Variance that both explain: r2_a + r2_b - R2 of both together.", R2),
    "unique_a": Column("Variance that a alone explains: R2 of both together - r2_b.", R2),
    "unique_b": Column("Variance that b alone explains: R2 of both together - r2_a.", R2),
}
