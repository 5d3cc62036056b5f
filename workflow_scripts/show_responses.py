"""Rule show_responses: sample images and what all models say about them, as a page."""

from pathlib import Path

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.stimuli import StimulusReader
from brainstruct.jobs.run import log, run_job
from brainstruct.responses.page import Sample, choose_samples, responses_page
from brainstruct.responses.table import read_responses
from brainstruct.store.files import write_text
from brainstruct.store.tables import read_table


def show_responses(
    *,
    tables: list[Path],
    block: Path,
    asked: list[tuple[str, str]],
    texts: dict[str, str],
    labels: dict[str, str],
    layout: Layout,
    id_name: str,
    n_samples: int,
    seed: int,
    page: Path,
) -> None:
    """Draw images out of a block that all models have seen, and write the page."""
    said = [read_responses(table, id_name) for table in tables]
    answers = dict(zip(asked, said, strict=True))
    chosen = choose_samples(read_table(block, [id_name])[id_name], n_samples, seed)
    log.info("images: %s", ", ".join(map(str, chosen)))
    with StimulusReader(layout.stimuli_file) as reader:
        samples = [Sample(stimulus, reader.image(stimulus)) for stimulus in chosen]
    write_text(responses_page(samples, answers, texts, labels, id_name), page)


run_job(show_responses, globals().get("snakemake"))
