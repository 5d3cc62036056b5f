"""Rule sample_anatomy: regions of a pycortex subject, to lay synthetic data out on."""

import tempfile
from pathlib import Path

from brainstruct.figures import anatomy as cortex
from brainstruct.figures.cortex_store import find_subject, use_store
from brainstruct.figures.halves import read_alignment, read_stored
from brainstruct.figures.store_import import import_subject
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import write_dataset


@script
def sample_anatomy(
    *, cortex_subject: str, transform: str, regions: list[str] | None, code: str, anatomy: Path
) -> None:
    """Use a throw-away copy of the subject that ships with pycortex."""
    with tempfile.TemporaryDirectory() as folder:
        origin = find_subject(None, cortex_subject)
        alignment = read_alignment(origin, transform)
        import_subject(folder, cortex_subject, *read_stored(origin), [alignment], origin)
        use_store(folder)
        sampled = cortex.sample_anatomy(cortex_subject, transform, regions)
    sampled = sampled.assign_attrs(sampled["label"].attrs)
    log.info("%d labelled voxels: %s", int((sampled["label"] > 0).sum()), sampled.attrs["names"])
    write_dataset(
        sampled,
        anatomy,
        provenance={"code": code},
        compress=[str(name) for name in sampled],
    )
