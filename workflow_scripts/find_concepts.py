"""Rule find_concepts: winning instruction within every concept group, per voxel and region."""

from pathlib import Path

from brainstruct.brain.ceilings import usable_ceiling
from brainstruct.config.encoding import Alignment
from brainstruct.encoding import concepts as groups
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import provenance, read_dataset, write_dataset
from brainstruct.store.tables import labelled, write_table


@script
def find_concepts(
    *,
    scores: Path,
    ceiling: Path,
    comparison: Path,
    uncertainty: Path,
    concepts: dict[str, list[str]],
    alignment: Alignment,
    mask: str,
    subject: str,
    model: str,
    concept_map: Path,
    table: Path,
) -> None:
    """Compare the instructions of each group, voxel by voxel."""
    fitted = read_dataset(scores, ["r", "cv_score"], ["instruction", "layer", "voxel"])
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    usable = usable_ceiling(space, alignment.ceiling, alignment.ceiling_threshold)
    compared = read_dataset(comparison, ["difference", "p"], ["comparison", "voxel"])
    chance = read_dataset(uncertainty, ["p"], ["instruction", "voxel"])["p"]
    found = groups.find_concepts(fitted, usable, concepts, compared, chance, rule=alignment.layers)
    regions = groups.concept_table(found, fitted, usable, space, mask=mask, rule=alignment.layers)
    test_set = fitted.attrs["test_set"]
    log.info("concepts: %s", ", ".join(map(str, found["concept"].values)))
    origin = {"alignment": alignment.model_dump(), "concepts": concepts}
    found = found.assign_attrs(test_set=test_set)
    write_dataset(found, concept_map, provenance=provenance(fitted) | origin)
    write_table(labelled(regions, subject=subject, model=model, test_set=test_set), table)
