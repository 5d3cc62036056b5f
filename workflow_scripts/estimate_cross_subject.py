"""Rule estimate_cross_subject: a subject's noise ceiling from the other subjects' brains."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from brainstruct.datasets.prepared import images_tested, read_betas
from brainstruct.encoding.cross_subject import (
    CrossSubjectOptions,
    cross_subject_ceiling,
    shared_images,
    without_ceiling,
)
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import provenance, read_dataset, write_dataset

FEWEST_IMAGES = 50  # below it, folds are too small to predict anything from


@script
def estimate_cross_subject(
    *,
    target: Path,
    sources: list[Path],
    subject: str,
    others: list[str],
    options: CrossSubjectOptions,
    code: str,
    ceiling: Path,
) -> None:
    """Predict the subject from every subset of the others, inside the shared images."""
    paths = dict(zip([subject, *others], [target, *sources], strict=True))
    tested, origins, voxels = [], {}, []
    for name, path in paths.items():
        tested.append(images_tested(path))
        voxel = read_dataset(path, ["voxel"], only=True)
        voxels.append(voxel["voxel"].values)
        origins[name] = provenance(voxel)
    common = shared_images([one.images for one in tested])
    origin = {"responses": origins, "options": asdict(options), "sources": others, "code": code}
    if common.size < FEWEST_IMAGES:
        problem = f"shares only {common.size} test images with {', '.join(others)}"
        log.warning("%s %s: no cross-subject ceiling", subject, problem)
        none = without_ceiling(voxels[0].size, int(common.size), problem)
        none = none.assign_coords(voxel=voxels[0]).assign_attrs(test_set=tested[0].test_set)
        write_dataset(none, ceiling, provenance=origin)
        return
    responses = {
        name: read_betas(path, common).values.astype(np.float32, copy=False)
        for name, path in paths.items()
    }
    result = cross_subject_ceiling(
        responses.pop(subject),
        responses,
        options,
        progress=lambda done, total: log.info("subset %d of %d", done, total),
    ).assign_coords(voxel=voxels[0])
    for key in ("note", "n_images", "n_fits", "n_not_converged", "n_not_positive",
                "n_beyond_one", "n_voxels_failed"):  # fmt: skip
        log.info("%s: %s", key, result.attrs[key])
    result = result.assign_attrs(test_set=tested[0].test_set)
    write_dataset(result, ceiling, provenance=origin)
