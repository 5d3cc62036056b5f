"""Rules build_tiny_checkpoint_*: a tiny checkpoint with random weights, in a real layout."""

from pathlib import Path

from brainstruct.config.synthetic import TinyCheckpoint
from brainstruct.jobs.run import script
from brainstruct.models.tiny import build


@script
def build_tiny_checkpoint(*, tiny: TinyCheckpoint, folder: Path) -> None:
    """Build what the configuration asks for."""
    build(tiny.kind, folder, seed=tiny.seed, **tiny.sizes)
