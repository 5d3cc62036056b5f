"""Names that were typed and that this study does not have are one line each."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from brainstruct.config.loading import load_study
from brainstruct.errors import InputError
from brainstruct.workflow.rooms import Rooms
from brainstruct.workflow.targets import require_known

OUTPUTS = {
    "fit_ridge_0_to_32_of_33": "results/fits/{subject}/{model,clip}/{instruction}/layer-0.nc",
    "draw_winning_layer": "results/figures/winning_layer/{subject}_{model}.svg",
    "draw_noise_ceiling": "results/figures/noise_ceiling.svg",
    "of_another_workflow": "plots/{model}.png",
    "figures": "",
    "list_block": "results/stimuli/blocks/{image_set}-{index,[0-9]+}.tsv",
}
RULES = [
    SimpleNamespace(name=name, products=lambda output=output: [output])
    for name, output in OUTPUTS.items()
]


@pytest.fixture
def rooms(paper_config):
    return Rooms.of(load_study(paper_config))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("figures/winning_layer/subj01_foo.svg", "no model 'foo'. Its models are instructblip, "),
        ("figures/winning_layer/subj01_idefic.svg", "Did you mean 'idefics'?"),
        ("figures/winning_layer/subj08_idefics.svg", "no subject 'subj08'. Its subjects are subj0"),
        ("fits/subj01/foo/IC/layer-0.nc", "no model 'foo'"),
        ("fits/subj01/idefics/ic/layer-0.nc", "no instruction 'ic'. Its instructions are IC, VQ1"),
        ("stimuli/blocks/subj08-000.tsv", "no image set 'subj08'. Its image sets are shared, subj"),
    ],
)
def test_a_file_of_another_study_is_refused_with_what_this_one_has(rooms, typed, said):
    with pytest.raises(InputError) as caught:
        require_known([f"results/{typed}"], RULES, rooms)
    assert str(caught.value).startswith(f"results/{typed}: this study has no ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("fit_ridge", "is no rule of this study. There is fit_ridge_0_to_32_of_33."),
        ("results/figures", "is no rule of this study. There is figures."),
        ("draw_wining_layer", "is no rule of this study. There is draw_winning_layer."),
    ],
)
def test_a_rule_that_is_none_is_refused_with_those_that_may_be_meant(rooms, typed, said):
    with pytest.raises(InputError) as caught:
        require_known([typed], RULES, rooms)
    assert said in str(caught.value)


def test_what_rules_make_and_what_nobody_knows_is_left_to_snakemake(rooms):
    names = ["figures/winning_layer/subj01_idefics.svg", "figures/noise_ceiling.svg",
             "fits/subj01/idefics/IC/layer-0.nc", "stimuli/blocks/shared-000.tsv"]  # fmt: skip
    require_known(
        [*(f"results/{name}" for name in names), "nothing.svg", "plots/foo.png"], RULES, rooms
    )


def test_a_model_that_is_none_is_one_line(paper_config):
    with pytest.raises(InputError, match=r"^foo: is no model of the study. Use one of instruct"):
        load_study(paper_config).model("foo")
