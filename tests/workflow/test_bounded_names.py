"""Names that are joined from lists of any length."""

from __future__ import annotations

from itertools import product

import pytest
from pydantic import TypeAdapter, ValidationError

from brainstruct.config.loading import load_study
from brainstruct.settings.base import LONGEST_KEY, Key
from brainstruct.workflow.encoding import FitJob
from brainstruct.workflow.leftovers import comment_of
from brainstruct.workflow.room import LONGEST_NAME, bounded
from brainstruct.workflow.rooms import Rooms

PART = 100  # bytes
COMMENT = 244  # bytes, of what SLURM is told of a job


def crowded(config) -> Rooms:
    """A study of twelve instructions and a model, all with the longest keys."""
    keys = [f"{index:02d}".ljust(LONGEST_KEY, "x") for index in range(12)]
    config["instruction_texts"] |= dict.fromkeys(keys, config["instruction_texts"]["IC"])
    config["instructions"] = [*config["instructions"], *keys]
    config["embedding"]["instructions_per_job"] = "all"
    for model in config["models"]:
        model["layers"] = list(range(0, model["n_layers"], 2))
    config["models"][0]["key"] = "m" * LONGEST_KEY
    return Rooms.of(load_study(config))


def test_every_part_of_a_path_and_every_comment_is_bounded(paper_config):
    rooms = crowded(paper_config)
    kinds, fits = rooms.models.embed_jobs(), rooms.encoding.fit_jobs()
    patterns = [
        rooms.models.log(f"embed/{{model}}/{kind.name}/{{block}}") for kind in kinds.values()
    ]
    patterns += [rooms.encoding.benchmark(job.log) for job in fits]
    longest = dict.fromkeys(("subject", "model", "instruction"), "k" * LONGEST_KEY)
    paths = [path.format(**longest, block="k" * LONGEST_KEY + "-000") for path in patterns]
    assert max(len(part) for path in paths for part in path.split("/")) < PART
    for rule, wildcards in product(
        [*kinds, *(job.name for job in fits)],
        (longest.values(), [*list(longest.values())[:2], "k" * LONGEST_KEY + "-000"]),
    ):
        assert len(rule) < PART
        assert len("_".join(wildcards)) < PART  # a folder of SLURM's logs
        assert len(comment_of(rule, wildcards)) < COMMENT


def test_short_names_stay_and_long_ones_differ():
    assert bounded("a" * LONGEST_NAME) == "a" * LONGEST_NAME
    long = [bounded("a" * LONGEST_NAME + end) for end in ("b", "c")]
    assert long[0] != long[1]
    assert all(len(name) == LONGEST_NAME and name.startswith("aaaa") for name in long)
    assert bounded("a" * LONGEST_NAME + "b") == long[0]


@pytest.mark.parametrize(
    "layers",
    [(0,), (3, 4, 5), (0, 2), (0, 7, 32), tuple(range(0, 33, 2)), tuple(range(1, 128, 3))],
)
@pytest.mark.parametrize("predicts", [True, False])
def test_a_rule_s_name_says_its_layers(layers, predicts):
    job = FitJob(layers, len(layers), ("clip",), predicts)
    assert FitJob.layers_in(job.name.removesuffix("_apart")) == set(layers)
    assert len(job.name) < PART
    assert FitJob.layers_in("predict_selected") is None


def test_rules_of_other_layers_have_other_names():
    every = [tuple(range(0, 40, 2)), tuple(range(0, 39, 2)), (*range(0, 38, 2), 39)]
    names = {FitJob(layers, 20, (), True).name for layers in every}
    assert len(names) == len({tuple(layers) for layers in every})


def test_a_key_has_an_end():
    key = TypeAdapter(Key)
    assert key.validate_python("k" * LONGEST_KEY)
    with pytest.raises(ValidationError):
        key.validate_python("k" * (LONGEST_KEY + 1))
