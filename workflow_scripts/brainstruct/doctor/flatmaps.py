"""The surfaces that flatmaps are drawn on."""

from __future__ import annotations

from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.doctor.finding import Outcome


def check_flatmaps(study: Study) -> Outcome:
    """Look for every subject's flat surfaces and transform in the pycortex filestore."""
    flatmaps = study.flatmaps
    outcome = Outcome("flatmaps")
    if flatmaps.store is None:
        outcome.checked = "the subject that ships with pycortex"
        return outcome
    store = Path(flatmaps.store)
    outcome.checked = f"{store}, transform {flatmaps.transform}"
    if not store.is_dir():
        outcome.add(
            "error",
            store,
            "is no pycortex filestore: it does not exist",
            "Set flatmaps.store to one that holds the subjects, or to null for pycortex's own",
        )
        return outcome
    for subject in study.subjects:
        name = flatmaps.subject.format(subject=subject)
        transform = flatmaps.transform.format(subject=subject)
        flat = [store / name / "surfaces" / f"flat_{hemisphere}.gii" for hemisphere in ("lh", "rh")]
        # pycortex also reads surfaces in other formats.
        missing = [path for path in flat if not list(path.parent.glob(f"{path.stem}.*"))]
        matrices = store / name / "transforms" / transform / "matrices.xfm"
        if not matrices.is_file():
            missing.append(matrices)
        if missing:
            outcome.add(
                "error",
                store / name,
                f"lacks {', '.join(str(path.relative_to(store / name)) for path in missing)}",
                "Import the subject into the filestore, or correct flatmaps.subject and .transform",
            )
    return outcome
