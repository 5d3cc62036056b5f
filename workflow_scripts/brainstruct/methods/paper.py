"""The paper's numbers, as far as they are known, beside those of a study."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from brainstruct.store.resources import table_beside

PAPER: dict[str, Any] = table_beside(__file__, "paper.toml")


def beside_the_paper(
    tables: Mapping[str, pd.DataFrame],
    models: Mapping[str, Sequence[str]],
    depths: Mapping[str, int],
    data: str,
) -> pd.DataFrame:
    """Tabulate findings of the paper with this study's value of the same.

    `tables` are the regional ones of all subjects and models (``alignment``, ``layers`` and
    ``partition``), `models` the study's by family (``random``: with random weights; their mean
    counts), `depths` the last layer of each; `data` is said in every row. Returns a row per number
    or statement, see ``dictionary/columns.toml``; what the study has no value of is empty.
    """
    rows = []
    for finding in PAPER["findings"]:
        name = {"alignment": "alignment", "instruction": "alignment", "depth": "layers"}
        whole = tables[name.get(finding["kind"], "partition")]
        whole = whole[whole["label"] == "all"]
        for family, told in finding["paper"].items():
            for model, paper in told.items():
                of_model = whole["model"].isin(models.get(model, ()))
                ours = _by_subject(whole[of_model & (whole["family"] == family)], finding, depths)
                ours = ours.dropna()
                numbers = pd.to_numeric(ours, errors="coerce")
                rows.append(
                    {"kind": finding["kind"], "family": family, "model": model, "paper": paper}
                    | {"paper_error": finding.get("error")}
                    | {"ours": ", ".join(ours) if ours.dtype == object else numbers.mean()}
                    | {"subject_low": numbers.min(), "subject_high": numbers.max()}
                    | {"n_subjects": len(ours), "data": data}
                    | {"source": PAPER["sources"][finding["source"]]}
                )
    return pd.DataFrame(rows)


def _by_subject(
    inside: pd.DataFrame, finding: Mapping[str, Any], depths: Mapping[str, int]
) -> pd.Series:
    """Return what a finding is in each subject; models of a family together."""
    keys = ["subject", "model"]
    if "pair" in finding:
        a, b = finding["pair"]
        pairs = inside[(inside["a"] == a) & (inside["b"] == b)]
        return pairs.groupby("subject")[f"{finding['kind']}_of_ceiling"].mean()
    if finding["kind"] == "instruction":
        single = inside[inside["instruction"] != "mean"].dropna(subset="alignment")
        best = single.loc[single.groupby("subject")["alignment"].idxmax()]
        return best.set_index("subject")["instruction"].astype(object)
    if finding["kind"] == "depth":
        means = inside.groupby([*keys, "layer"])["alignment"].mean().dropna()
        best = means.loc[means.groupby(keys).idxmax()].reset_index()
        return (best["layer"] / best["model"].map(depths)).groupby(best["subject"]).mean()
    # All instructions together, or the only one.
    only = inside.groupby(keys)["instruction"].transform("nunique") == 1
    return inside[(inside["instruction"] == "mean") | only].groupby("subject")["alignment"].mean()
