"""What each number stands for: seeded inputs, and what the code makes of them.

A unit belongs to one or several numbers: of a stage, of a model family, of a part of the
NSD. Heavy packages are imported by the units that need them alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.models.registry import FAMILIES
from brainstruct.workflow.formats import STAGES

NUMBERS: dict[str, int] = {
    **STAGES,
    **{f"family {name}": family.format for name, family in FAMILIES.items()},
    **{f"nsd {part}": number for part, number in Nsd.formats.items()},
}
"""All numbers there are: of stages by name, of families and parts with a word before it."""

WHERE = {
    "family": "workflow_scripts/brainstruct/models/families.toml",
    "nsd": "workflow_scripts/brainstruct/datasets/nsd/dataset.py",
    "stage": "workflow_scripts/brainstruct/workflow/formats.py",
}


@dataclass(frozen=True)
class Unit:
    """A function ``module:name``, called with an empty folder and `given`."""

    function: str
    numbers: tuple[str, ...]
    given: tuple[str, ...] = ()

    def run(self, folder: Path) -> dict[str, object]:
        """Return the outputs: files, arrays and texts by name."""
        module, _, name = self.function.partition(":")
        run: Callable[..., dict[str, object]] = getattr(import_module(module), name)
        return run(folder, *self.given)


UNITS: dict[str, Unit] = {
    "index_stimuli": Unit("seeded_data:lists", ("index_stimuli", "nsd trials", "nsd stimuli")),
    "list_block": Unit("seeded_data:blocks", ("list_block", "nsd stimuli")),
    "prepare_responses": Unit("seeded_data:responses", ("prepare_responses", "nsd betas")),
    "estimate_cross_subject": Unit("seeded_data:cross_subject", ("estimate_cross_subject",)),
    "estimate_ceiling": Unit("seeded_data:ceilings", ("estimate_ceiling", "nsd regions")),
    "nsd_pixels": Unit("seeded_data:pixels", ("nsd pixels",)),
    "nsd_captions": Unit("seeded_data:captions", ("nsd captions",)),
    "nsd_places": Unit("seeded_data:places", ("nsd places",)),
    **{
        f"embed_{name}": Unit("seeded_models:embedded", ("embed", f"family {name}"), (name,))
        for name in FAMILIES
    },
    "fit_ridge": Unit("seeded_encoding:fitted", ("fit_ridge",)),
    "predict_selected": Unit("seeded_encoding:predicted", ("predict_selected",)),
    "collect_scores": Unit("seeded_encoding:collected", ("collect_scores",)),
    "partition_variance": Unit("seeded_encoding:partitioned", ("partition_variance",)),
    "compare": Unit("seeded_encoding:compared", ("compare",)),
}
