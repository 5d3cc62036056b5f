"""Rule pack_surface: a subject's surfaces as browsers read them."""

from pathlib import Path
from typing import Any

from brainstruct.figures.viewer import pack_surface, scratch_store
from brainstruct.jobs.run import run_job


def pack(job: Any) -> None:
    """Pack one pycortex subject."""
    with scratch_store(Path(job.input[0]).parent, job.wildcards.surface):
        pack_surface(job.wildcards.surface, job.output[0])


run_job(pack, globals().get("snakemake"))
