"""Rule estimate_ceiling: noise ceilings of a subject, beside its voxels and regions."""

from typing import Any

import xarray as xr

from brainstruct.encoding.ceiling import ncsnr_ceiling
from brainstruct.errors import InputError
from brainstruct.jobs.run import log, run_job
from brainstruct.nsd.locate import locate
from brainstruct.nsd.voxel_labels import label_voxels
from brainstruct.store.arrays import provenance, read_dataset, write_dataset


def estimate_ceiling(job: Any) -> None:
    """Write ncsnr, ceiling, coordinates and labels of every voxel."""
    stored = read_dataset(
        job.input.responses, ["ncsnr", "repetitions", "split"], ["voxel"], only=True
    )
    repetitions = stored["repetitions"].values[stored["split"].values == "test"]
    origin = provenance(stored) | {"rois": list(job.params.rois)}
    voxels = stored.drop_dims("nsd_id")
    space = label_voxels(locate(job.params.layout), job.wildcards.subject, voxels, job.params.rois)
    ceiling = ncsnr_ceiling(space["ncsnr"], repetitions)
    space["ceiling_ncsnr"] = xr.DataArray(ceiling, dims="voxel", attrs={"units": "correlation"})
    space = space.assign_attrs(n_test_images=len(repetitions))
    for path in job.input.cross_subject:
        other = read_dataset(path, ["ceiling_cross_subject"], ["voxel"])
        space["ceiling_cross_subject"] = other["ceiling_cross_subject"]
        names = ("note", "extrapolated", "n_images", "n_voxels_failed")
        space = space.assign_attrs({f"cross_subject_{name}": other.attrs[name] for name in names})
        origin["cross_subject"] = provenance(other)
    _require_ceiling(space, job.params.preferred, job.input)
    log.info(
        "%d voxels, %d test images, %.2f trials each, median ceiling %.3f",
        space.sizes["voxel"],
        len(repetitions),
        repetitions.mean(),
        float(space["ceiling_ncsnr"].median()),
    )
    write_dataset(space, job.output[0], provenance=origin | {"ceiling_code": job.params.code})


def _require_ceiling(space: xr.Dataset, kind: str, files: Any) -> None:
    """Refuse to go on if what scores shall be divided by is nowhere known."""
    if space[f"ceiling_{kind}"].notnull().any():
        return
    if kind == "cross_subject":
        problem = f"has no cross-subject ceiling: {space.attrs['cross_subject_note']}"
        raise InputError(
            files.cross_subject[0], problem, "Set alignment.ceiling to ncsnr, or add sessions"
        )
    raise InputError(files.responses, "has no voxel with an ncsnr", "Download the ncsnr again")


run_job(estimate_ceiling, globals().get("snakemake"))
