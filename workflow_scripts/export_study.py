"""Rule export_study: the exported dataset's description, and the study's tables."""

from pathlib import Path
from typing import Any

from brainstruct.dictionary.describe import describe
from brainstruct.exports.description import (
    IGNORED,
    dataset_description,
    participants,
    read_me,
)
from brainstruct.exports.names import words
from brainstruct.exports.tables import copy_tables
from brainstruct.jobs.run import log, run_job
from brainstruct.store.arrays import read_dataset
from brainstruct.store.files import write_json, write_text
from brainstruct.store.publishing import publish_folder
from brainstruct.store.tables import write_table


def export_study(job: Any) -> None:
    """Describe the dataset, and copy tables with a dictionary of their columns."""
    params, output = job.params, job.output
    labels = words(model["key"] for model in params.models)
    levels = {
        "model": {model["key"]: model["label"] for model in params.models},
        "instruction": {key: one["text"] for key, one in params.instructions.items()},
    }
    results = Path(output.tables).parents[1]  # of derivatives/tables
    count = 0
    for folder in (output.tables, output.stimuli):
        name = Path(folder).name
        own = [path for path in job.input.tables if Path(path).is_relative_to(results / name)]
        with publish_folder(folder) as temporary:
            count += copy_tables(own, results / name, temporary, levels)
    people = participants(
        dict(zip(params.subjects, map(read_dataset, job.input.spaces), strict=True)),
        dict(zip(params.subjects, map(read_dataset, job.input.scores), strict=True)),
        ceiling=params.alignment["ceiling"],
        threshold=params.alignment["ceiling_threshold"],
    )
    write_table(people, output.participants)
    write_json(describe("participants.tsv", people.columns), output.dictionary)
    write_text("\n".join([*IGNORED, ""]), output.ignored)
    write_text(
        read_me(
            params.study,
            synthetic=params.synthetic,
            space=params.space,
            models=params.models,
            labels=labels,
            instructions=params.instructions,
            surfaces=params.surfaces,
        ),
        output.readme,
    )
    description = dataset_description(
        params.study,
        synthetic=params.synthetic,
        snakemake=params.snakemake,
        codes=params.codes,
    )
    write_json(description, output.description)
    log.info("%d tables with dictionaries", count)


run_job(export_study, globals().get("snakemake"))
