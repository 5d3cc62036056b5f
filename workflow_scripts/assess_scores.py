"""Rule assess_scores: how sure the scores of one subject and model are."""

from pathlib import Path

from brainstruct.brain.ceilings import usable_ceiling
from brainstruct.config.encoding import Alignment
from brainstruct.datasets.prepared import images_tested, read_betas
from brainstruct.encoding.comparison import ComparisonOptions
from brainstruct.encoding.permutation import PermutationTest
from brainstruct.encoding.regions import regions
from brainstruct.encoding.uncertainty import (
    PREDICTED,
    against_chance,
    over_images,
    over_images_by_layer,
)
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import open_dataset, read_dataset, write_dataset


@script
def assess_scores(
    *,
    responses: Path,
    ceiling: Path,
    predictions: list[Path],
    fits: list[Path],
    instructions: list[str],
    alignment: Alignment,
    permutations: int,
    statistics: ComparisonOptions,
    mask: str,
    code: str,
    uncertainty: Path,
) -> None:
    """Test every instruction, and their mean, against chance; bootstrap regional alignment."""
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    tested = images_tested(responses)
    truth = read_betas(responses, tested.images)
    stored = PREDICTED[alignment.layers]
    predicted = {
        name: open_dataset(path, [stored], ["stimulus", "voxel"])[stored]
        for name, path in zip(instructions, predictions, strict=True)
    }
    options = {"n_permutations": permutations, "seed": statistics.seed}
    test = PermutationTest(truth.values, **options) if permutations else None
    found = against_chance(predicted, test, alignment.layers)
    divisor = usable_ceiling(space, alignment.ceiling, alignment.ceiling_threshold)
    places = list(regions(space, mask))
    found["region_draws"] = over_images(
        truth, predicted, divisor, places, rule=alignment.layers, options=statistics
    )
    of_layers = (read_dataset(path, ["r", "r_deviation"], ["draw"], only=True) for path in fits)
    found["layer_draws"] = over_images_by_layer(of_layers, divisor, places)
    log.info(
        "%d instructions, %d permutations, %d bootstrap samples of %d test images",
        *(len(instructions), test.n_permutations if test else 0, statistics.n_draws),
        len(tested.images),
    )
    found = found.assign_attrs(test_set=tested.test_set, confidence=statistics.confidence)
    origin = {"alignment": alignment.model_dump(), **options, "n_draws": statistics.n_draws}
    write_dataset(found, uncertainty, provenance=origin | {"code": code})
