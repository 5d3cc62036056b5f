"""Rules build_tiny_checkpoint_*: a tiny checkpoint with random weights, in a real layout."""

from pathlib import Path

from brainstruct.config.synthetic import TinyCheckpoint
from brainstruct.jobs.run import run_job
from brainstruct.models.tiny import build


def build_tiny_checkpoint(*, tiny: TinyCheckpoint, folder: Path) -> None:
    """Build what the configuration asks for."""
    build(tiny.kind, folder, seed=tiny.seed, **tiny.sizes)


run_job(build_tiny_checkpoint, globals().get("snakemake"))
