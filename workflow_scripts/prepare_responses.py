"""Rule prepare_responses: a subject's betas, z-scored and averaged over repetitions."""

from pathlib import Path

from brainstruct.datasets.nsd import responses as betas
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.sessions import BetaFormat, Sessions
from brainstruct.jobs.run import log, run_job
from brainstruct.store.arrays import write_dataset
from brainstruct.store.tables import read_table


def prepare_responses(
    *,
    image_list: Path,
    layout: Layout,
    subject: str,
    sessions: int,
    form: BetaFormat,
    mask: str,
    code: str,
    responses: Path,
) -> None:
    """Read session by session; write one array."""
    dataset = betas.prepare_responses(
        layout,
        subject,
        read_table(image_list, ["nsd_id", "trials"], dtype={"trials": str}),
        sessions=Sessions(sessions, form),
        mask_name=mask,
        progress=lambda done, total: log.info("session %d of %d", done, total),
    )
    for name in sorted(name for name in dataset.attrs if name.startswith("n_")):
        log.info("%s: %s", name, dataset.attrs[name])
    origin = {
        "layout": layout.words,
        "sessions": sessions,
        "format": form,
        "mask": mask,
        "code": code,
    }
    write_dataset(dataset, responses, provenance=origin)


run_job(prepare_responses, globals().get("snakemake"))
