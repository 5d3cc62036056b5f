"""Rule prepare_responses: a subject's betas, z-scored and averaged over repetitions."""

from typing import Any

from brainstruct.jobs.run import log, run_job
from brainstruct.nsd.layout import Sessions
from brainstruct.nsd.locate import locate
from brainstruct.nsd.responses import prepare_responses
from brainstruct.store.arrays import write_dataset
from brainstruct.store.tables import read_table


def responses(job: Any) -> None:
    """Read session by session; write one array."""
    index = read_table(job.input.index, ["nsd_id", "trials"], dtype={"trials": str})
    dataset = prepare_responses(
        locate(job.params.layout),
        job.wildcards.subject,
        index,
        sessions=Sessions(job.params.sessions, job.params.format),
        mask_name=job.params.mask,
        progress=lambda done, total: log.info("session %d of %d", done, total),
    )
    for name in sorted(name for name in dataset.attrs if name.startswith("n_")):
        log.info("%s: %s", name, dataset.attrs[name])
    origin = {name: job.params[name] for name in ("layout", "sessions", "format", "mask", "code")}
    write_dataset(dataset, job.output[0], provenance=origin)


run_job(responses, globals().get("snakemake"))
