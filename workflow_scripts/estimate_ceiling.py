"""Rule estimate_ceiling: noise ceilings of a subject, beside its voxels and regions."""

from pathlib import Path

import xarray as xr

from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.places import with_regions
from brainstruct.datasets.prepared import images_tested
from brainstruct.encoding.ceiling import ncsnr_ceiling
from brainstruct.errors import InputError
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import provenance, read_dataset, write_dataset


def _no_ceiling(space: xr.Dataset, responses: Path, cross_subject: Path | None) -> InputError:
    """Say that what scores shall be divided by is nowhere known."""
    if cross_subject is None:
        return InputError(responses, "has no voxel with an ncsnr", "Download the ncsnr again")
    problem = f"has no cross-subject ceiling: {space.attrs['cross_subject_note']}"
    return InputError(cross_subject, problem, "Set alignment.ceiling to ncsnr, or add sessions")


@script
def estimate_ceiling(
    *,
    responses: Path,
    cross_subject: Path | None,
    dataset: DataSet,
    rois: list[str],
    preferred: str,
    subject: str,
    code: str,
    ceiling: Path,
) -> None:
    """Write ncsnr, ceiling, coordinates and labels of every voxel."""
    tested = images_tested(responses)
    stored = read_dataset(responses, ["ncsnr"], ["voxel"], only=True)
    origin = provenance(stored) | {"rois": rois}
    space = with_regions(stored, dataset.reader().regions(subject, rois, stored))
    reliable = ncsnr_ceiling(space["ncsnr"], tested.repetitions)
    space["ceiling_ncsnr"] = xr.DataArray(reliable, dims="voxel", attrs={"units": "correlation"})
    space = space.assign_attrs(n_test_images=len(tested.images), test_set=tested.test_set)
    if cross_subject is not None:
        other = read_dataset(cross_subject, ["ceiling_cross_subject"], ["voxel"])
        space["ceiling_cross_subject"] = other["ceiling_cross_subject"]
        names = ("note", "extrapolated", "n_images", "n_voxels_failed")
        space = space.assign_attrs({f"cross_subject_{name}": other.attrs[name] for name in names})
        origin["cross_subject"] = provenance(other)
    if space[f"ceiling_{preferred}"].isnull().all():
        raise _no_ceiling(space, responses, cross_subject if preferred == "cross_subject" else None)
    log.info(
        "%d voxels, %d test images, %.2f trials each, median ceiling %.3f",
        space.sizes["voxel"],
        len(tested.images),
        tested.repetitions.mean(),
        float(space["ceiling_ncsnr"].median()),
    )
    write_dataset(space, ceiling, provenance=origin | {"ceiling_code": code})
