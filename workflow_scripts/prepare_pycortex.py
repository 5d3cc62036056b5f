"""Rule prepare_pycortex: the study's private pycortex store, and a flatmap per subject."""

from pathlib import Path
from typing import Any

from brainstruct.figures.preparing import prepare_flatmaps
from brainstruct.jobs.run import log, run_job
from brainstruct.nsd.locate import locate
from brainstruct.store.files import write_json


def prepare_pycortex(job: Any) -> None:
    """Build everything that drawing jobs will only read."""
    options = job.params.flatmaps
    for subject, cortex in job.params.cortices.items():
        log.info("%s is drawn from %s: %s", subject, cortex["source"], cortex["reason"])
    ready = prepare_flatmaps(
        Path(job.output[0]).parent,
        job.params.cortices,
        locate(job.params.layout),
        mask=job.params.mask,
        **options,
    )
    write_json(ready, job.output[0])


run_job(prepare_pycortex, globals().get("snakemake"))
