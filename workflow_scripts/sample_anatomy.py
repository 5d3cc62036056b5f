"""Rule sample_anatomy: regions of a pycortex subject, to lay synthetic data out on."""

import tempfile
from typing import Any

from brainstruct.figures.anatomy import sample_anatomy
from brainstruct.figures.cortex_store import prepare_store, use_store
from brainstruct.jobs.run import log, run_job
from brainstruct.store.arrays import write_dataset


def anatomy(job: Any) -> None:
    """Use a throw-away store of the subject that ships with pycortex."""
    with tempfile.TemporaryDirectory() as folder:
        prepare_store(folder, [job.params.subject])
        use_store(folder)
        sampled = sample_anatomy(job.params.subject, job.params.transform, job.params.regions)
    sampled = sampled.assign_attrs(sampled["label"].attrs)
    log.info("%d labelled voxels: %s", int((sampled["label"] > 0).sum()), sampled.attrs["names"])
    write_dataset(
        sampled,
        job.output[0],
        provenance={"code": job.params.code},
        compress=[str(name) for name in sampled],
    )


run_job(anatomy, globals().get("snakemake"))
