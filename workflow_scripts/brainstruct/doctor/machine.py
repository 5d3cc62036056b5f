"""Whether results can be written, and whether there is room for them."""

import tempfile
from itertools import chain
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.errors import Outcome
from brainstruct.planning.amounts import Amounts
from brainstruct.planning.disk import embeddings, inputs, sum_up, unfinished, volumes
from brainstruct.store.faults import trouble_of
from brainstruct.store.files import existing
from brainstruct.store.resources import findings_beside
from brainstruct.workflow.models import DOWNLOADS

_said = findings_beside(__file__, "findings.toml")


def check_folders(study: Study) -> Outcome:
    """Try to write where the study will."""
    outcome = Outcome("write access")
    folders = [Path(study.results), Path(".snakemake")]
    used = {model.checkpoint for model in study.models}
    if any(study.checkpoints[name].path is None for name in used):
        folders.append(Path(DOWNLOADS))
    if study.dataset.made_up:
        folders.append(Path(study.dataset.root))
    for folder in folders:
        there = existing(folder)
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            fault, cure = trouble_of(error) or (f"({error.strerror})", "Get write access")
            cure = f"{cure}; or choose another place for {folder}"
            outcome.add("error", there, f"cannot be written to: {fault}", cure)
    outcome.checked = ", ".join(map(str, folders))
    return outcome


def check_disk(study: Study) -> Outcome:
    """Compare free space with what is to come, as the plan estimates it without its jobs.

    These are the embeddings, nearly all of a study's results, and what is missing
    of the data set and the checkpoints.
    """
    amounts = Amounts(study)
    outcome = Outcome("disk")
    seen = []
    states = embeddings(amounts)
    parts = [*chain.from_iterable(states.values()), *inputs(amounts, unfinished(states))]
    for volume in volumes(sum_up(parts)):
        need, free = volume.needed_bytes / 1e9, volume.free_bytes / 1e9
        seen.append(f"{need:.1f} GB to come under {volume.folder}, {free:.1f} GB free")
        if not volume.fits:
            outcome.add("error", volume.folder, *_said("no_room", need=need, free=free))
    outcome.checked = "; ".join(seen)
    return outcome
