"""What rules/viewer.smk takes: interactive maps."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from brainstruct.config.models import ShownModel
from brainstruct.config.study import NO_INSTRUCTION
from brainstruct.figures.store_names import name_in_store
from brainstruct.workflow.encoding import EncodingRoom
from brainstruct.workflow.figures import FigureRoom
from brainstruct.workflow.room import Room, Wildcards, file


@dataclass(frozen=True)
class ViewerRoom(Room):
    """Names and choices; see `Room`."""

    encoding: EncodingRoom
    figures: FigureRoom

    packed_surface = file("pycortex/webgl/{surface}")  # folder, packed for browsers
    viewer = file("viewer/{subject}")  # folder with the interactive page of a subject
    index = file("viewer/index.html")  # page that leads to the interactive pages

    @cached_property
    def all_viewers(self) -> list[str]:
        """Interactive pages of every subject and the page that leads there, if maps are drawn."""
        return [*self.of_subjects(self.viewer), self.index()] if self.figures.mapped else []

    def packed(self, wildcards: Wildcards) -> list[str]:
        """Packed surfaces of the cortex that shows the job's subject, once its files are there."""
        shown = self.figures.cortices.get(wildcards.subject)
        if shown is None:
            return []
        name = name_in_store(shown["source"], wildcards.subject, shown["name"])
        return [self.packed_surface(name)]

    @property
    def models(self) -> list[dict[str, Any]]:
        """What viewers and exports say of every model: key, label, layers and instructions."""
        texts = self.study.instruction_texts
        return [
            ShownModel(
                key=model.key,
                label=model.label,
                n_layers=model.n_layers,
                instructions={
                    key: texts[key]
                    for key in self.study.instructions_of(model)
                    if key != NO_INSTRUCTION
                },
            ).model_dump()
            for model in self.study.models
        ]
