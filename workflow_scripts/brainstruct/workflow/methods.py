"""What rules/methods.smk takes: what was done, as text to quote."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from brainstruct.config.study import NO_INSTRUCTION
from brainstruct.workflow.identity import folder_identity
from brainstruct.workflow.room import Room


@dataclass(frozen=True)
class MethodsRoom(Room):
    """Names and choices; see `Room`."""

    def methods(self, suffix: str = "html") -> str:
        """Build the name of what was done, as text to quote, or its references (bib)."""
        return f"{self.root}/methods/methods.{suffix}"

    @property
    def texts_code(self) -> str:
        """Identity of what the data set says of itself."""
        texts = self.study.dataset.texts
        return folder_identity(str(texts)) if texts else ""

    @property
    def words(self) -> dict[str, Any]:
        """What the methods say that no result knows."""
        study = self.study
        return {
            "name": study.study,
            "seed": study.seed,
            "synthetic": study.synthetic is not None,
            "mask": study.data.mask,
            "rois": study.data.rois,
            "alignment": study.alignment.model_dump(),
            "statistics": study.statistics.model_dump(include={"n_draws", "control"}),
            "cross_subject": study.cross_subject.model_dump(
                include={"curve", "extrapolate_images"}
            ),
            "instructions": {
                key: study.instruction_texts[key].model_dump() for key in study.instructions
            },
            "models": [
                model.model_dump(include={"key", "label", "family"})
                | {"instructions": [k for k in study.instructions_of(model) if k != NO_INSTRUCTION]}
                for model in study.models
            ],
            "snakemake": version("snakemake"),
        }
