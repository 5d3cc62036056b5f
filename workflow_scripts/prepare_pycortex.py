"""Rule prepare_pycortex: the study's private pycortex store, and a flatmap per subject."""

from pathlib import Path

from brainstruct.datasets.interface import DataSet
from brainstruct.figures.preparing import Cortex, prepare_flatmaps
from brainstruct.jobs.run import log, script
from brainstruct.store.files import write_json


@script
def prepare_pycortex(
    *,
    cortices: dict[str, Cortex],
    filestore: str | None,
    patch: str,
    height: int,
    dataset: DataSet,
    mask: str,
    store: Path,
) -> None:
    """Build everything that drawing jobs will only read."""
    for subject, cortex in cortices.items():
        log.info("%s is drawn from %s: %s", subject, cortex.source, cortex.reason)
    ready = prepare_flatmaps(
        store.parent,
        cortices,
        dataset,
        mask=mask,
        store=filestore,
        patch=patch,
        height=height,
    )
    write_json(ready, store)
