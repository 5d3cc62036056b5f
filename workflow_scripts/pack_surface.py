"""Rule pack_surface: a subject's surfaces as browsers read them."""

from pathlib import Path

from brainstruct.figures import viewer
from brainstruct.jobs.run import script


@script
def pack_surface(*, store: Path, surface: str, packed: Path) -> None:
    """Pack one pycortex subject."""
    with viewer.scratch_store(store, surface):
        viewer.pack_surface(surface, packed)
