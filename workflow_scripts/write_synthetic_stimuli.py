"""Rule write_synthetic_stimuli: photographs, design, stimulus table and captions."""

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic.settings import Experiment
from brainstruct.datasets.nsd.synthetic.stimuli import write_stimuli
from brainstruct.jobs.run import script


@script
def write_synthetic_stimuli(*, layout: Layout, study_plan: Experiment) -> None:
    """Write what all subjects share."""
    write_stimuli(layout, study_plan)
