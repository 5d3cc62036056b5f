"""The numbers of the stages that cost: what their code computes, kept by hand.

A number stands for what a stage makes of its inputs, and is part of its jobs: where it
rises, they run again, and all that follows from them. It rises when outputs change that
the same inputs gave before, and only then: code that is moved, renamed, typed, documented
or made faster keeps it. ``tests/conformance`` holds seeded inputs of every stage and what
came of them, and fails when outputs changed and the number did not.

Stages that take minutes at most, and whose results no costly one takes in, are not here:
their code is hashed, see `brainstruct.workflow.identity`.
"""

from brainstruct import FORMAT_VERSION

STAGES: dict[str, int] = {
    "index_stimuli": 1,
    "list_block": 1,
    "prepare_responses": 2,
    "estimate_cross_subject": 2,
    "estimate_ceiling": 2,
    "embed": 1,
    "fit_ridge": 4,
    "predict_selected": 2,
    "collect_scores": 3,
    "partition_variance": 3,
    "compare": 2,
}
"""Script -> number. Model families have their own, in `brainstruct.models.registry`, and
data sets one for each part, in `DataSet.formats`."""


def stage_format(stage: str, *more: str) -> str:
    """Return what a stage computes, for the parameters of its jobs: ``fit_ridge 1, files 3``.

    `more` are numbers of what the stage asks for by name: a model family, parts of a data set.
    The layout of stored files is everybody's.
    """
    return ", ".join([f"{stage} {STAGES[stage]}", *more, f"files {FORMAT_VERSION}"])
