"""Rule export_study: the exported dataset's description, and the study's tables."""

from pathlib import Path

from brainstruct.config.encoding import Alignment
from brainstruct.config.models import Instruction, ShownModel
from brainstruct.datasets.interface import DataSet
from brainstruct.dictionary.describe import describe
from brainstruct.exports import description as texts
from brainstruct.exports.names import words
from brainstruct.exports.tables import copy_tables
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import read_dataset
from brainstruct.store.files import write_json, write_text
from brainstruct.store.publishing import publish_folder
from brainstruct.store.tables import write_table


# Long: a third is the list of its arguments.
@script
def export_study(
    *,
    tables: list[Path],
    ceilings: list[Path],
    scores: list[Path],
    study: str,
    synthetic: bool,
    dataset: DataSet,
    subjects: list[str],
    models: list[ShownModel],
    legend: dict[str, Instruction],
    surface_notes: dict[str, str],
    alignment: Alignment,
    snakemake_version: str,
    codes: dict[str, str],
    description: Path,
    readme: Path,
    ignored: Path,
    participants: Path,
    dictionary: Path,
    tables_folder: Path,
    stimuli_folder: Path,
) -> None:
    """Describe the dataset, and copy tables with a dictionary of their columns."""
    asked = {key: one.model_dump() for key, one in legend.items()}
    levels = {
        "model": {model.key: model.label for model in models},
        "instruction": {key: one["text"] for key, one in asked.items()},
    }
    results = tables_folder.parents[1]  # of derivatives/tables
    count = 0
    for folder in (tables_folder, stimuli_folder):
        own = [str(path) for path in tables if path.is_relative_to(results / folder.name)]
        with publish_folder(folder) as temporary:
            count += copy_tables(own, results / folder.name, temporary, levels)
    people = texts.participants(
        dict(zip(subjects, map(read_dataset, ceilings), strict=True)),
        dict(zip(subjects, map(read_dataset, scores), strict=True)),
        dataset,
        ceiling=alignment.ceiling,
        threshold=alignment.ceiling_threshold,
    )
    write_table(people, participants)
    write_json(describe("participants.tsv", people.columns), dictionary)
    write_text("\n".join([*texts.IGNORED, ""]), ignored)
    write_text(
        texts.read_me(
            study,
            dataset,
            synthetic=synthetic,
            models=[model.model_dump() for model in models],
            labels=words(model.key for model in models),
            instructions=asked,
            surfaces=surface_notes,
        ),
        readme,
    )
    described = texts.dataset_description(
        study, dataset, synthetic=synthetic, snakemake=snakemake_version, codes=codes
    )
    write_json(described, description)
    log.info("%d tables with dictionaries", count)
