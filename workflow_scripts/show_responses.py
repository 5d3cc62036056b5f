"""Rule show_responses: sample images and what all models say about them, as a page."""

from pathlib import Path

from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.lists import read_block
from brainstruct.jobs.run import log, script
from brainstruct.responses.page import Sample, choose_samples, responses_page
from brainstruct.responses.table import read_responses
from brainstruct.store.files import write_text


@script
def show_responses(
    *,
    tables: list[Path],
    prompts: list[Path],
    block: Path,
    asked: list[tuple[str, str]],
    texts: dict[str, str],
    labels: dict[str, str],
    dataset: DataSet,
    n_samples: int,
    seed: int,
    page: Path,
) -> None:
    """Draw images out of a block that all models have seen, and write the page."""
    said = [read_responses(table, dataset.id_name) for table in tables]
    answers = dict(zip(asked, said, strict=True))
    written = dict(zip(asked, (path.read_text(encoding="utf-8") for path in prompts), strict=True))
    chosen = choose_samples(read_block(block, dataset)["stimulus"], n_samples, seed)
    log.info("images: %s", ", ".join(map(str, chosen)))
    with dataset.reader().pixels() as pixels:
        samples = [Sample(stimulus, pixels.image(stimulus)) for stimulus in chosen]
    write_text(responses_page(samples, answers, written, texts, labels, dataset.id_name), page)
