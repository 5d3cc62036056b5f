"""What rules/answers.smk takes: what the models answered, as tables and as a page."""

from dataclasses import dataclass
from functools import cached_property

from brainstruct.workflow.data import DataRoom
from brainstruct.workflow.models import ModelRoom
from brainstruct.workflow.room import Room, Wildcards, file


@dataclass(frozen=True)
class AnswerRoom(Room):
    """Names and choices; see `Room`."""

    data: DataRoom
    models: ModelRoom

    answers = file("answers/{model}/{instruction}.tsv")  # what a model answered, image by image

    prompt = file("answers/{model}/{instruction}.prompt.txt")  # what it answered to

    @cached_property
    def asked(self) -> list[tuple[str, str]]:
        """Models that follow instructions, and the instructions they are given."""
        return [
            (model.key, instruction)
            for model in self.study.models
            if model.follows_instructions
            for instruction in self.study.instructions_of(model)
        ]

    @property
    def page(self) -> list[str]:
        """The page of answers, if any model answers."""
        return [self.figure("responses", "html")] if self.asked else []

    def embeddings(self, wildcards: Wildcards) -> list[str]:
        """Embeddings of all images, of one model and instruction."""
        key = wildcards.model, wildcards.instruction
        paths = [self.models.embedding(*key, block) for block in self.data.blocks]
        return self.models.discarded.needed(paths, [self.answers(*key), self.prompt(*key)])

    @property
    def labels(self) -> dict[str, str]:
        """Key -> label of the models in `asked`."""
        keys = {model for model, _ in self.asked}
        return {model.key: model.label for model in self.study.models if model.key in keys}

    @property
    def instructions(self) -> dict[str, dict[str, str]]:
        """Key -> task and text of the instructions in `asked`, in legend order."""
        keys = {instruction for _, instruction in self.asked}
        texts = self.study.instruction_texts
        return {key: texts[key].model_dump() for key in self.study.instructions if key in keys}

    @property
    def texts(self) -> dict[str, str]:
        """Key -> text of the instructions in `asked`, in legend order."""
        return {key: entry["text"] for key, entry in self.instructions.items()}
