"""Rule prepare_pycortex: the study's private pycortex store, with warm caches."""

from pathlib import Path
from typing import Any

from brainstruct.figures.cortex_store import prepare_store, use_store
from brainstruct.figures.flatmap import warm_flatmap
from brainstruct.jobs import log, run_job
from brainstruct.store import write_json


def prepare_pycortex(job: Any) -> None:
    """Copy or link the subjects, then compute what flatmaps need."""
    options = job.params.flatmaps
    pairs = sorted(
        {
            (options["subject"].format(subject=name), options["transform"].format(subject=name))
            for name in job.params.subjects
        }
    )
    folder = Path(job.output[0]).parent
    prepare_store(folder, [subject for subject, _ in pairs], options["store"])
    use_store(folder)
    for subject, transform in pairs:
        path = warm_flatmap(subject, transform, options["height"])
        log.info("cached %s", path)
    write_json({"subjects": [list(pair) for pair in pairs]}, job.output[0])


run_job(prepare_pycortex, globals().get("snakemake"))
