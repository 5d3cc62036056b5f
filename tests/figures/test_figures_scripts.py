"""The scripts that draw, on tables as the workflow hands them over."""

from __future__ import annotations

from importlib import import_module
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd

from brainstruct.store.tables import read_table, write_table


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
    job = SimpleNamespace(
        input=SimpleNamespace(
            alignment=tmp_path / "alignment.tsv", comparisons=tmp_path / "comparisons.tsv"
        ),
        output=SimpleNamespace(svg=str(tmp_path / "drawn.svg")),
        params=SimpleNamespace(
            instructions=["IC", "VQ1"], labels={"talker": "Talker"}, mask="nsdgeneral"
        ),
    )
    import_module("draw_instruction_rois").instruction_rois(job)
    drawn = read_table(tmp_path / "drawn.tsv", ["roi", "mark"])
    assert drawn["roi"].unique().tolist() == ["nsdgeneral", "V1v (prf)", "V1v (kastner)", "hV4"]
    assert drawn.loc[drawn["mark"] == "*", "roi"].tolist() == ["V1v (kastner)"]
