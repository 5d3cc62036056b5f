"""The cortex that each subject's flatmaps are drawn on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.errors import Outcome
from brainstruct.workflow.flat_source import FlatSource, find_source

_CURES = {
    "store": "Complete the subject in the filestore, or correct flatmaps.subject and .transform",
    "freesurfer": "Fetch what is missing (docs/flatmaps.md)",
    "fsaverage": "Fetch what is missing (docs/flatmaps.md), or set flatmaps.store to a pycortex "
    "filestore that has the subject",
}


def check_flatmaps(study: Study) -> Outcome:
    """Look for surfaces and transforms, subject by subject, where they would be taken from."""
    outcome = Outcome("flatmaps")
    sources = {
        subject: find_source(study.flatmaps, study.dataset, subject) for subject in study.subjects
    }
    if all(found.source == "none" for found in sources.values()):
        outcome.checked = f"none: {sources[study.subjects[0]].reason}"
        return outcome
    counts = Counter(found.source for found in sources.values())
    outcome.checked = ", ".join(f"{number} from {source}" for source, number in counts.items())
    for subject, found in sources.items():
        missing = [path for path in found.files if not _is_there(path, found)]
        if missing:
            names = ", ".join(path.name for path in missing[:4])
            more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
            outcome.add(
                "error",
                f"{subject}, {missing[0].parent}",
                f"lacks {names}{more} ({found.reason})",
                _CURES[found.source],
            )
        elif found.source == "fsaverage" and study.flatmaps.source != "fsaverage":
            outcome.add(
                "note",
                subject,
                f"is drawn on fsaverage: {found.reason}",
                "This is coarser; docs/flatmaps.md says how to draw on the subject's own cortex",
            )
    return outcome


def _is_there(path: Path, found: FlatSource) -> bool:
    # pycortex reads surfaces in other formats than GIFTI, too.
    if found.source == "store" and path.suffix == ".gii":
        return any(path.parent.glob(f"{path.stem}.*"))
    return path.is_file()
