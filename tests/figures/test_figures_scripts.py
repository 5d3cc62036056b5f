"""The scripts that draw, on tables as the workflow hands them over."""

from __future__ import annotations

import ast
from itertools import product

import numpy as np
import pandas as pd
import xarray as xr
from parsing import EXAMPLES, script_of, values
from snakemake.iocontainers import Wildcards

from brainstruct.figures import style
from brainstruct.store.arrays import write_dataset
from brainstruct.store.tables import read_table, write_table
from draw_instruction_rois import draw_instruction_rois
from draw_shared_variance import draw_shared_variance
from rooms import SCRIPTS, rules

COLOURISTS = {"instruction_colours": "instructions", "model_colours": "list(labels)"}
"""Function of `brainstruct.figures.style` -> the argument of jobs that holds the study's list."""


def test_two_families_with_the_same_label_are_two_columns(tmp_path):
    regions = [("nsdgeneral", "all"), ("prf", "V1v"), ("kastner", "V1v"), ("kastner", "hV4")]
    rows = list(product(["subj01", "subj02"], ["talker"], ["IC", "VQ1"], regions))
    table = pd.DataFrame(
        [(s, m, i, *r) for s, m, i, r in rows],
        columns=["subject", "model", "instruction", "family", "label"],
    ).assign(alignment=np.arange(len(rows)) / len(rows))
    write_table(table, tmp_path / "alignment.tsv")
    comparison = {"subject": "group", "measure": "alignment", "model": "talker"}
    pair = {"family": "kastner", "label": "V1v", "a": "IC", "b": "VQ1"}
    row = comparison | pair | {"difference": 0.2, "q": 0.001}
    row |= {"prevalence": 0.9, "prevalence_low": 0.4, "prevalence_high": 1.0}
    write_table(pd.DataFrame([row]), tmp_path / "comparisons.tsv")
    draw_instruction_rois(
        alignment_table=tmp_path / "alignment.tsv",
        comparison_table=tmp_path / "comparisons.tsv",
        labels={"talker": "Talker"},
        instructions=["IC", "VQ1"],
        mask="nsdgeneral",
        svg=tmp_path / "drawn.svg",
        png=tmp_path / "drawn.png",
        table=tmp_path / "drawn.tsv",
    )
    drawn = read_table(tmp_path / "drawn.tsv", ["roi", "mark"])
    assert drawn["roi"].unique().tolist() == ["nsdgeneral", "V1v (prf)", "V1v (kastner)", "hV4"]
    assert drawn.loc[drawn["mark"] == "*", "roi"].tolist() == ["V1v (kastner)"]


def test_colours_are_chosen_by_scripts_from_the_studys_list():
    chosen = []
    for path in SCRIPTS.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "_colours(" in text else ():
            if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in COLOURISTS:
                assert path.parent == SCRIPTS
                assert [ast.unparse(given) for given in node.args] == [COLOURISTS[name]]
                chosen.append(name)
    assert set(chosen) == set(COLOURISTS)


def test_jobs_that_colour_instructions_have_the_studys_list_whatever_the_model_was_given():
    given = {name: "idefics" if name == "model" else one for name, one in EXAMPLES.items()}
    lists = {}
    for name, rule in rules().items():
        if "instruction_colours(" in (SCRIPTS / f"{script_of(rule)}.py").read_text("utf-8"):
            wildcards = Wildcards(fromdict={one: given[one] for one in rule.wildcard_names})
            params = values(rule.params, wildcards)
            if params.get("race") != "model":
                lists[name] = params["instructions"]
    assert len(lists) == 6
    assert {len(keys) for keys in lists.values()} == {10}


def shared_variance_of(keys, folder) -> str:
    """Draw what pairs of one model's instructions share, and return the drawing."""
    folder.mkdir()
    pair = {"subject": "subj01", "family": "prf", "label": "all", "a": keys[0], "b": keys[1]}
    shares = ("r2_a", "r2_b", "shared", "unique_a", "unique_b")
    row = pair | {f"{name}_of_ceiling": 0.1 for name in shares}
    write_table(pd.DataFrame([row]), folder / "partition.tsv")
    parts = ["shared", "unique_a", "unique_b"]
    draws = xr.DataArray(
        np.linspace(0, 0.2, 3 * 9, dtype=np.float32).reshape(1, 3, 1, 9),
        dims=("pair", "part", "region", "draw"),
        coords={"pair": ["p"], "part": parts, "region": [0], "draw": range(9)}
        | {"family": ("region", ["prf"]), "label": ("region", ["all"])}
        | {name: ("pair", [key]) for name, key in zip("ab", keys, strict=True)},
    )
    stored = xr.Dataset({"region_draws": draws}, attrs={"confidence": 0.95})
    write_dataset(stored, folder / "partition.nc")
    draw_shared_variance(
        tables=[folder / "partition.tsv"],
        partitions=[folder / "partition.nc"],
        subjects=["subj01"],
        reference=keys[0],
        instructions=["IC", "MINE", "YOURS", "THEIRS"],
        families=["prf"],
        title="A model",
        svg=folder / "drawn.svg",
        png=folder / "drawn.png",
        table=folder / "drawn.tsv",
    )
    return (folder / "drawn.svg").read_text(encoding="utf-8")


def test_instructions_of_ones_own_have_one_colour_whichever_model_is_drawn(tmp_path):
    colours = style.instruction_colours(["IC", "MINE", "YOURS", "THEIRS"])
    for keys in (["IC", "MINE"], ["THEIRS", "IC"], ["YOURS", "THEIRS"]):
        drawing = shared_variance_of(keys, tmp_path / "-".join(keys))
        drawn = {key for key, colour in colours.items() if f"fill: {colour}" in drawing}
        assert drawn == set(keys)
