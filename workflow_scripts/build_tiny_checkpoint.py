"""Rules build_tiny_checkpoint_*: a tiny checkpoint with random weights, in a real layout."""

from pathlib import Path
from typing import Any

from brainstruct.jobs.run import run_job
from brainstruct.models.tiny import build


def build_tiny_checkpoint(job: Any) -> None:
    """Build what the configuration asks for."""
    tiny = job.params.tiny
    build(tiny["kind"], Path(job.output[0]), seed=tiny["seed"], **tiny["sizes"])


run_job(build_tiny_checkpoint, globals().get("snakemake"))
