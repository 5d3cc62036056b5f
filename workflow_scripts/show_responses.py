"""Rule show_responses: sample images and what all models say about them, as a page."""

from typing import Any

from brainstruct.jobs.run import log, run_job
from brainstruct.nsd.locate import locate
from brainstruct.nsd.stimuli import StimulusReader
from brainstruct.responses.page import Sample, choose_samples, responses_page
from brainstruct.responses.table import read_responses
from brainstruct.store.files import write_text
from brainstruct.store.tables import read_table


def show_responses(job: Any) -> None:
    """Draw images out of a block that all models have seen, and write the page."""
    asked = [tuple(pair) for pair in job.params.asked]
    tables = dict(zip(asked, map(read_responses, job.input.tables), strict=True))
    block = read_table(job.input.block, ["nsd_id"])
    chosen = choose_samples(block["nsd_id"], job.params.n_samples, job.params.seed)
    log.info("images: %s", ", ".join(map(str, chosen)))
    with StimulusReader(locate(job.params.layout).stimuli_file) as reader:
        samples = [Sample(nsd_id, reader.image(nsd_id)) for nsd_id in chosen]
    page = responses_page(samples, tables, job.params.instructions, job.params.labels)
    write_text(page, job.output[0])


run_job(show_responses, globals().get("snakemake"))
