"""The scripts that draw, on tables as the workflow hands them over."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from brainstruct.store.tables import read_table, write_table
from draw_instruction_rois import draw_instruction_rois


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
