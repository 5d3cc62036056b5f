from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainstruct.methods.paper import PAPER, beside_the_paper

SUBJECTS = ("subj01", "subj02")
MODELS = {"instructblip": ["blip", "blip-2"], "vit": ["vit"]}


def table(**columns) -> pd.DataFrame:
    return pd.DataFrame({"family": "prf-visualrois", "label": "all"} | columns)


@pytest.fixture
def beside():
    rows = [
        (subject, model, instruction, value + 0.1 * (subject == "subj02"))
        for subject in SUBJECTS
        for model, given in (
            ("blip", {"IC": 0.5, "IU1": 0.9, "mean": 0.7}),
            ("blip-2", {"IC": 0.5}),
            ("vit", {"none": 0.4}),
        )
        for instruction, value in given.items()
    ]
    names = ["subject", "model", "instruction", "alignment"]
    alignment = table(**pd.DataFrame(rows, columns=names).to_dict("list"))
    nowhere = alignment.assign(label="V1", alignment=9.0)
    layers = pd.concat(
        alignment[alignment["model"] != "vit"].assign(layer=n, alignment=[0.1, 0.2, 0.7, 0.3][n])
        for n in range(4)
    )
    partition = table(subject=list(SUBJECTS), model="blip", a="IC", b="IU2", shared_of_ceiling=0.3)
    partition = partition.assign(unique_a_of_ceiling=0.1, unique_b_of_ceiling=[0.1, np.nan])
    tables = {
        "alignment": pd.concat([alignment, nowhere]),
        "layers": layers,
        "partition": pd.concat([partition, partition.assign(b="VQ1", shared_of_ceiling=9.0)]),
    }
    found = beside_the_paper(tables, MODELS, {"blip": 3, "blip-2": 3}, "made up")
    return found.set_index(["kind", "family", "model"])


def test_every_finding_has_a_row_and_a_source(beside):
    count = sum(len(one) for f in PAPER["findings"] for one in f["paper"].values())
    assert len(beside) == count
    assert beside["source"].isin(PAPER["sources"].values()).all()
    assert (beside["data"] == "made up").all()
    assert beside.loc[("alignment", "floc-places", "instructblip"), "n_subjects"] == 0


def test_the_same_is_taken_of_the_study(beside):
    bar = beside.loc[("alignment", "prf-visualrois", "instructblip")]
    # The mean over instructions of one model, the only instruction of the other.
    assert (bar["paper"], bar["paper_error"]) == (0.67, 0.005)
    assert bar["ours"] == pytest.approx((0.7 + 0.5) / 2 + 0.05)
    assert (bar["subject_low"], bar["subject_high"]) == pytest.approx((0.6, 0.7))
    assert beside.loc[("alignment", "prf-visualrois", "vit"), "ours"] == pytest.approx(0.45)
    assert beside.loc[("instruction", "prf-visualrois", "instructblip"), "ours"] == "IU1, IU1"
    depth = beside.loc[("depth", "prf-visualrois", "instructblip")]
    assert (depth["ours"], depth["paper"]) == (pytest.approx(2 / 3), "late")
    assert beside.loc[("shared", "prf-visualrois", "instructblip"), "ours"] == pytest.approx(0.3)
    unique = beside.loc[("unique_b", "prf-visualrois", "instructblip")]
    assert (unique["ours"], unique["n_subjects"]) == (pytest.approx(0.1), 1)
