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

SURE = 2
"""Standard errors that a cross-subject ceiling must have."""


def _no_ceiling(space: xr.Dataset, responses: Path, cross_subject: Path | None) -> InputError:
    """Say that what scores shall be divided by is nowhere known."""
    if cross_subject is None:
        return InputError(responses, "has no voxel with an ncsnr", "Download the ncsnr again")
    problem = f"has no cross-subject ceiling: {space.attrs['cross_subject_note']}"
    return InputError(
        cross_subject, problem, "Set alignment.ceiling to ncsnr, add sessions or subjects"
    )


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
    silent = ncsnr_ceiling(stored.attrs["ncsnr_silent"], tested.repetitions)
    space["threshold_ncsnr"] = xr.DataArray(silent, attrs={"units": "correlation"})
    space = space.assign_attrs(n_test_images=len(tested.images), test_set=tested.test_set)
    if cross_subject is not None:
        needed = ["ceiling_cross_subject", "standard_error"]
        other = read_dataset(cross_subject, needed, ["voxel"])
        space["ceiling_cross_subject"] = other["ceiling_cross_subject"]
        least = SURE * other["standard_error"]
        space["threshold_cross_subject"] = least.assign_attrs(
            units="correlation", long_name=f"{SURE} standard errors"
        )
        names = ("note", "extrapolated", "n_images", "tau")
        space = space.assign_attrs({f"cross_subject_{name}": other.attrs[name] for name in names})
        origin["cross_subject"] = provenance(other)
    if space[f"ceiling_{preferred}"].isnull().all():
        raise _no_ceiling(space, responses, cross_subject if preferred == "cross_subject" else None)
    log.info(
        "%d voxels, %d test images, %.2f trials each, median ceiling %.3f; "
        "95 %% of silent voxels are below %.3f",
        space.sizes["voxel"],
        len(tested.images),
        tested.repetitions.mean(),
        float(space["ceiling_ncsnr"].median()),
        silent,
    )
    write_dataset(space, ceiling, provenance=origin | {"ceiling_code": code})
