"""The cortex that each subject's flatmaps are drawn on."""

from collections import Counter

from brainstruct.config.study import Study
from brainstruct.errors import Outcome
from brainstruct.store.resources import findings_beside
from brainstruct.workflow.flat_source import FlatSource, find_source

_said = findings_beside(__file__, "findings.toml")


def check_flatmaps(study: Study) -> Outcome:
    """Look at surfaces and transforms, subject by subject, where they would be taken from."""
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
        missing = [path for path in found.files if not path.is_file()]
        if missing:
            names = ", ".join(path.name for path in missing[:4])
            more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
            said = _said(f"lacks_{found.source}", names=names + more, reason=found.reason)
            outcome.add("error", f"{subject}, {missing[0].parent}", *said)
            continue
        if found.files:
            with outcome.noting():
                _read(study, subject, found)
        if found.source == "fsaverage" and study.flatmaps.source != "fsaverage":
            outcome.add("note", subject, *_said("on_fsaverage", reason=found.reason))
    return outcome


def _read(study: Study, subject: str, found: FlatSource) -> None:
    """Read and check surfaces as the job that draws on them does."""
    # Here, because packages of jobs may be broken, which is another check's to say.
    from brainstruct.figures.halves import read_alignment, read_own, read_stored
    from brainstruct.figures.hemisphere import lay_out

    if found.source == "freesurfer":
        read_own(study.dataset.cortex_files(subject, study.flatmaps.patch))
    elif found.source == "store":
        surfaces = found.files[0].parent
        read_alignment(surfaces.parent, study.flatmaps.transform.format(subject=subject))
        lay_out(*read_stored(surfaces.parent))
