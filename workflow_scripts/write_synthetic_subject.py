"""Rules write_synthetic_subject_*: a subject whose regions respond to known feature spaces."""

from pathlib import Path

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic.settings import Brains
from brainstruct.datasets.nsd.synthetic.subjects import write_subject
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import read_dataset


@script
def write_synthetic_subject(
    *,
    anatomy: Path,
    features: list[Path],
    layout: Layout,
    subject: str,
    subject_plan: Brains,
    n_sessions: int,
    seed: int,
) -> None:
    """Write regions, betas, ncsnr and the truth."""
    driving = {}
    for path in features:
        stored = read_dataset(path, ["features"], ["layer", "stimulus", "feature"])
        for layer in stored["layer"].values:
            key = (stored.attrs["model"], stored.attrs["instruction"], int(layer))
            driving[key] = stored["features"].sel(layer=layer)
    write_subject(
        layout,
        subject,
        read_dataset(anatomy, ["label", "cortex", "hemisphere"]),
        driving,
        subject_plan,
        n_sessions,
        seed,
        progress=lambda done, total: log.info("session %d of %d", done, total),
    )
