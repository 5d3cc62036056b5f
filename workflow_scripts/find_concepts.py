"""Rule find_concepts: winning instruction within every concept group, per voxel and region."""

from typing import Any

from brainstruct.encoding.concepts import concept_table, find_concepts
from brainstruct.jobs.run import log, run_job
from brainstruct.store.arrays import provenance, read_dataset, write_dataset
from brainstruct.store.tables import write_table


def concepts(job: Any) -> None:
    """Compare the instructions of each group, voxel by voxel."""
    options = job.params.alignment
    rules = {"rule": options["layers"], "threshold": options["ceiling_threshold"]}
    scores = read_dataset(job.input.scores, ["r", "cv_score"], ["instruction", "layer", "voxel"])
    space = read_dataset(job.input.ceiling, ["roi_label"], ["voxel"])
    ceiling = space[f"ceiling_{options['ceiling']}"]
    found = find_concepts(scores, ceiling, job.params.concepts, **rules)
    table = concept_table(found, scores, ceiling, space, mask=job.params.mask, **rules)
    table.insert(0, "model", job.wildcards.model)
    table.insert(0, "subject", job.wildcards.subject)
    log.info("concepts: %s", ", ".join(map(str, found["concept"].values)))
    origin = provenance(scores) | {
        "alignment": dict(options),
        "concepts": {name: list(keys) for name, keys in job.params.concepts.items()},
    }
    write_dataset(found, job.output.map, provenance=origin)
    write_table(table, job.output.table)


run_job(concepts, globals().get("snakemake"))
