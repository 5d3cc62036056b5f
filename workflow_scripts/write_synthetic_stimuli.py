"""Rule write_synthetic_stimuli: photographs, design, stimulus table and captions."""

from typing import Any

from brainstruct.jobs.run import run_job
from brainstruct.nsd.locate import locate
from brainstruct.nsd.synthetic.plan import StudyPlan
from brainstruct.nsd.synthetic.stimuli import write_stimuli


def synthetic_stimuli(job: Any) -> None:
    """Write what all subjects share."""
    options = job.params.synthetic
    plan = StudyPlan(options["sessions"], options["shared_images"], options["unique_images"])
    write_stimuli(locate(job.params.layout), plan, options["seed"])


run_job(synthetic_stimuli, globals().get("snakemake"))
