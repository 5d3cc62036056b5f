"""All that the files of ``rules`` take their names and choices from, for one study."""

from dataclasses import dataclass
from typing import Self

from brainstruct.config.study import Study
from brainstruct.workflow.answers import AnswerRoom
from brainstruct.workflow.data import DataRoom
from brainstruct.workflow.encoding import EncodingRoom
from brainstruct.workflow.exports import ExportRoom
from brainstruct.workflow.figures import FigureRoom
from brainstruct.workflow.inputs import Inputs
from brainstruct.workflow.methods import MethodsRoom
from brainstruct.workflow.models import ModelRoom
from brainstruct.workflow.statistics import StatisticsRoom
from brainstruct.workflow.synthetic import SyntheticRoom
from brainstruct.workflow.viewer import ViewerRoom


@dataclass(frozen=True)
class Rooms:
    """A room for each file of ``rules``, under its name."""

    data: DataRoom
    models: ModelRoom
    answers: AnswerRoom
    encoding: EncodingRoom
    statistics: StatisticsRoom
    figures: FigureRoom
    viewer: ViewerRoom
    methods: MethodsRoom
    synthetic: SyntheticRoom
    exports: ExportRoom

    @classmethod
    def of(cls, study: Study) -> Self:
        """Open the rooms of a study."""
        data = DataRoom(study, Inputs(study))
        models = ModelRoom(study, data)
        encoding = EncodingRoom(study, models)
        statistics = StatisticsRoom(study, models, encoding)
        figures = FigureRoom(study, data, encoding, statistics)
        synthetic = SyntheticRoom(study, encoding)
        return cls(
            data,
            models,
            AnswerRoom(study, data, models),
            encoding,
            statistics,
            figures,
            ViewerRoom(study, encoding, figures),
            MethodsRoom(study),
            synthetic,
            ExportRoom(study, data, encoding, statistics, figures, synthetic),
        )
