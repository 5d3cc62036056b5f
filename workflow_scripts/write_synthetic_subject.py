"""Rules write_synthetic_subj*: a subject whose regions respond to known feature spaces."""

from typing import Any

from brainstruct.jobs.run import log, run_job
from brainstruct.nsd.locate import locate
from brainstruct.nsd.synthetic.plan import Planted, SubjectPlan
from brainstruct.nsd.synthetic.subjects import write_subject
from brainstruct.store.arrays import read_dataset


def synthetic_subject(job: Any) -> None:
    """Write regions, betas, ncsnr and the truth."""
    options = job.params.synthetic
    features = {}
    for path in job.input.features:
        stored = read_dataset(path, ["features"], ["layer", "nsd_id", "feature"])
        for layer in stored["layer"].values:
            key = (stored.attrs["model"], stored.attrs["instruction"], int(layer))
            features[key] = stored["features"].sel(layer=layer)
    plan = SubjectPlan(
        n_sessions=options["sessions"][job.params.subject],
        planted=[Planted(**entry) for entry in options["planted"]],
        signal=options["signal"],
        ncsnr=tuple(options["ncsnr"]),
        max_labelled=options["max_labelled"],
        n_unlabelled=options["n_unlabelled"],
        formats=options["formats"],
    )
    write_subject(
        locate(job.params.layout),
        job.params.subject,
        read_dataset(job.input.anatomy, ["label", "cortex", "hemisphere"]),
        features,
        plan,
        options["seed"],
        progress=lambda done, total: log.info("session %d of %d", done, total),
    )


run_job(synthetic_subject, globals().get("snakemake"))
