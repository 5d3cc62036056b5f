"""The demo, with other seeds: what was planted must be found back, and nothing else."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
import yaml
from checkout import Checkout

from brainstruct.encoding.recovery import match_voxels
from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import read_table

pytestmark = pytest.mark.study

SUBJECTS = ("subj01", "subj02")

INSTRUCTIONS = ("IC", "VQ1", "VQ2", "IU1", "IU3", "SR")
"""Six of the demo's ten; its brains follow all of these but VQ1."""

LOOKED_AT = (
    "figures",
    *(f"results/demo/tables/{name}.tsv" for name in ("alignment", "recovery")),
    "results/demo/figures/responses.html",
)
"""What tests look at; statistics of text, methods and viewers are the small study's."""

BLOCKS = 16
"""Of the main model, half as many as the demo's; what is planted lies as deep by proportion."""


def demo_study(checkout: Checkout, *keys: str) -> dict[str, Any]:
    """The demo's configuration, with some of its models."""
    study = yaml.safe_load((checkout.root / "config/demo.yaml").read_text())
    study["models"] = [model for model in study["models"] if model["key"] in keys]
    return study


def ask_only(study: dict[str, Any], *instructions: str) -> None:
    """Leave some instructions, and what follows them in the brains."""
    study["instructions"] = list(instructions)
    synthetic = study["synthetic"]
    synthetic["planted"] = [
        one for one in synthetic["planted"] if one["instruction"] in instructions
    ]


def make_small(study: dict[str, Any]) -> None:
    """Give the main model fewer blocks and shorter answers; fit some layers of the reference."""
    study["embedding"]["max_new_tokens"] = 4
    main, reference = study["models"]
    reference["layers"] = [0, 6, 12]
    deep, main["n_layers"] = main["n_layers"] - 1, BLOCKS + 1
    study["synthetic"]["checkpoints"]["instructblip"]["sizes"] = {"n_blocks": BLOCKS}
    for one in study["synthetic"]["planted"]:
        one["layer"] = one["layer"] * BLOCKS // deep


def configure(checkout: Checkout, name: str, seed: int, study: dict[str, Any]) -> tuple[str, str]:
    """Write a study's configuration with other seeds; return Snakemake's option for it."""
    study["results"] = f"results/{name}"
    study["data"]["nsd_root"] = f"resources/{name}/nsd"
    for key, tiny in study["synthetic"]["checkpoints"].items():
        tiny["seed"] += seed
        study["checkpoints"][key]["path"] = f"resources/{name}/checkpoints/{key}"
    study["synthetic"]["seed"] = seed
    (checkout.root / f"{name}.yaml").write_text(yaml.safe_dump(study))
    return "--configfile", f"{name}.yaml"


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Checkout:
    """The demo with its main model and a reference; other images, networks and brains."""
    checkout = Checkout.fresh(tmp_path_factory.mktemp("demo") / "checkout")
    study = demo_study(checkout, "instructblip", "clip-text")
    ask_only(study, *INSTRUCTIONS)
    make_small(study)
    options = configure(checkout, "demo", 11, study)
    checkout.run(*LOOKED_AT, *options, timeout=1500)
    return checkout


def check_recovery(checkout: Checkout, name: str) -> None:
    table = read_table(checkout.root / f"results/{name}/tables/recovery.tsv")
    whole = table[table["roi"] == "all"].set_index("subject")
    print(whole[["n_reliable", "instruction_found", "layer_found"]].to_string())
    assert (whole["n_reliable"] > 1000).all()
    assert (whole["instruction_found"] >= 0.95).all()
    assert (whole["instruction_clear"] >= 0.8).all()
    assert (whole["layer_found"] >= 0.75).all()
    passing, clear = silent_voxels(checkout, name, whole.index)
    print(f"{passing.size} silent voxels: {passing.mean():.3f} pass, {clear.mean():.4f} clear")
    chance = 2.6 * np.sqrt(0.05 * 0.95 / passing.size)
    assert abs(passing.mean() - 0.05) <= 0.02 + chance
    assert clear.mean() < 0.01


def silent_voxels(checkout: Checkout, name: str, subjects) -> tuple[np.ndarray, np.ndarray]:
    """Whether voxels in which nothing was planted reach the ceiling's threshold, and are clear."""
    found = []
    for subject in subjects:
        results = checkout.root / f"results/{name}"
        truth = checkout.root / f"resources/{name}/nsd/brainstruct_truth/{subject}.nc"
        space = read_dataset(results / f"ceilings/{subject}.nc", ["i", "j", "k"])
        silent = match_voxels(read_dataset(truth), space)["planted_model"].values == ""
        winners = read_dataset(results / f"winners/{subject}/instructblip.nc")
        passing = winners["instruction_index"].values >= 0
        found.append(np.array([passing, winners["clear"].values])[:, silent])
    return tuple(np.concatenate(found, axis=1))


def test_planted_instructions_and_layers_are_found(demo):
    check_recovery(demo, "demo")


def test_demo_ends_in_figures_and_a_report(demo):
    figures = demo.root / "results/demo/figures"
    drawn = {path.relative_to(figures) for path in figures.rglob("*.svg")}
    maps = {"winning_layer", "winning_instruction", "planted_recovered", "concepts"}
    expected = {f"{name}/{subject}_instructblip" for name in maps for subject in SUBJECTS}
    expected |= {f"alignment_maps/{subject}" for subject in SUBJECTS}
    expected |= {"roi_bars", "layer_profiles", "instruction_rois", "noise_ceiling"}
    expected |= {"shared_variance/instructblip"}
    assert {str(path.with_suffix("")) for path in drawn} >= expected
    for path in drawn:
        assert (figures / path.with_suffix(".png")).stat().st_size > 20_000
        assert len(read_table(figures / path.with_suffix(".tsv"))) > 0
    demo.run(*LOOKED_AT, "--report", "results/demo/report.html", "--configfile", "demo.yaml")
    report = (demo.root / "results/demo/report.html").read_text(encoding="utf-8")
    assert (figures / "responses.html").read_text(encoding="utf-8").count("<img") == 12
    for words in ("1 Which model?", "2 Which instruction?", "3 Which layer?", "winning layer"):
        assert words in report


def test_planted_model_wins_where_it_was_planted(demo):
    table = read_table(demo.root / "results/demo/tables/alignment.tsv")
    whole = table[(table["family"] == "nsdgeneral") & (table["instruction"].isin(["mean", "none"]))]
    by_model = whole.groupby("model")["alignment"].mean()
    assert by_model.idxmax() == "instructblip"
    labels = table[(table["model"] == "instructblip") & (table["subject"] == "subj01")]
    absent = labels[labels["label"] == "mTL-bodies"]
    assert (absent["n_voxels"] == 0).all()
    assert absent["alignment"].isna().all()


@pytest.mark.skipif(os.environ.get("BRAINSTRUCT_RECOVERY_FULL") != "1", reason="make test-full")
def test_all_instructions_are_told_apart_at_full_depth(tmp_path):
    checkout = Checkout.fresh(tmp_path / "checkout")
    options = configure(checkout, "whole", 11, demo_study(checkout, "instructblip"))
    checkout.run("results/whole/tables/recovery.tsv", *options, timeout=1500)
    check_recovery(checkout, "whole")


def test_pure_noise_is_not_predicted(demo, tmp_path):
    """Same images and networks; brains of noise alone."""
    noise = demo.copy(tmp_path / "noise")
    path = noise.root / "demo.yaml"
    study = yaml.safe_load(path.read_text())
    study["synthetic"]["signal"] = 0.0
    path.write_text(yaml.safe_dump(study))
    target = "results/demo/scores/subj01/instructblip.nc"
    jobs = noise.run("-n", target, "--configfile", "demo.yaml").jobs
    assert "write_synthetic_subject_subj01" in jobs
    assert not [rule for rule in jobs if rule.startswith(("embed", "plant"))]
    noise.run(target, "--configfile", "demo.yaml", timeout=900)
    r = read_dataset(noise.root / target)["r"].values
    # Feature spaces share the images, so the error is that of one value per voxel:
    # the noise of voxels is independent.
    by_voxel = r.reshape(-1, r.shape[-1]).mean(0)
    error = by_voxel.std(ddof=1) / np.sqrt(by_voxel.size)
    print(f"mean r {by_voxel.mean():+.4f}, standard error {error:.4f}")
    assert abs(by_voxel.mean()) < 3 * error
