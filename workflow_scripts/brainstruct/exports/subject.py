"""The folder of one subject's maps: volumes, surfaces, lookup tables and sidecars."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainstruct.brain.images import Grid
from brainstruct.dictionary.describe import describe
from brainstruct.exports.images import EXTENSIONS, sample, write_gifti, write_nifti
from brainstruct.exports.maps import VoxelMap
from brainstruct.exports.names import bids_name
from brainstruct.exports.sidecars import TEXTS
from brainstruct.exports.surfaces import Cortex
from brainstruct.store.files import write_json
from brainstruct.store.tables import write_table


@dataclass(frozen=True)
class SubjectFolder:
    """Where the maps of a subject go, and what they lie on."""

    folder: Path  # ``sub-01``; maps come into ``func``
    participant: str  # label of whose maps they are
    task: str  # of the experiment
    space: str  # of the volumes' space
    grid: Grid  # where the voxels lie
    grid_source: str  # the file that says so
    cortices: Sequence[Cortex]  # surfaces that maps, but no masks, are carried to

    def write(self, maps: Iterable[VoxelMap], facts: Mapping[str, Any]) -> int:
        """Write maps, whose sidecars all have `facts`, and return their number."""
        target = self.folder / "func"
        target.mkdir(parents=True, exist_ok=True)
        count = 0
        for found in maps:
            self._write_volume(found, target, facts)
            for cortex in self.cortices if found.suffix in EXTENSIONS else ():
                self._write_surface(found, cortex, target, facts)
            count += 1
        return count

    def _write_volume(self, found: VoxelMap, target: Path, facts: Mapping[str, Any]) -> None:
        stem = target / self._name(found, space=self.space)
        write_nifti(found, self.grid, stem.with_name(f"{stem.name}.nii.gz"))
        place = {
            "SpatialReference": self.grid_source,
            "AffineSource": TEXTS["affine"].format(file=self.grid_source),
        }
        _describe(stem, found, {**found.sidecar, **place, **facts})

    def _write_surface(
        self, found: VoxelMap, cortex: Cortex, target: Path, facts: Mapping[str, Any]
    ) -> None:
        for side, sampler in cortex.samplers.items():
            stem = target / self._name(found, hemi=side, space=cortex.space, den=cortex.density)
            values = sample(found, sampler)
            path = stem.with_name(f"{stem.name}{EXTENSIONS[found.suffix]}")
            write_gifti(found, values, side, path)
            place = {
                "SpatialReference": cortex.reference,
                "Sampling": cortex.sampling,
                "NumberOfVertices": values.shape[1],
            }
            _describe(stem, found, {**found.sidecar, **place, **facts})

    def _name(self, found: VoxelMap, **entities: str | None) -> str:
        return bids_name(
            found.suffix,
            sub=self.participant,
            task=self.task,
            stat=found.stat,
            desc=found.desc,
            **entities,
        )


def _describe(stem: Path, found: VoxelMap, sidecar: Mapping[str, Any]) -> None:
    content = dict(sidecar)
    if found.labels is not None:
        write_table(found.labels, f"{stem}.tsv")
        # BIDS itself says what an index is.
        content |= describe("dseg.tsv", found.labels.columns.drop("index"))
    write_json(content, f"{stem}.json")
