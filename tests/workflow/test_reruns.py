"""After a change, exactly what depends on it is done again."""

from __future__ import annotations

import re

import h5py
import numpy as np
import pytest
import yaml
from checkout import SMALL

from brainstruct.encoding.features import layer_features, matching_images
from brainstruct.encoding.preset import fit_oota2025
from brainstruct.store import read_dataset, read_table

pytestmark = pytest.mark.study

FIGURES = {
    "draw_roi_bars",
    "draw_instruction_rois",
    "draw_layer_profiles",
    "draw_winning_instruction",
    "draw_winning_layer",
    "draw_planted_recovered",
}
SCORED = {"collect_scores", "find_winners", "tabulate_rois", "join_tables", "tabulate_recovery"}
COMPARED = {
    "compare_models",
    "compare_instructions",
    "tabulate_model_comparisons",
    "tabulate_instruction_comparisons",
}
STATISTICS = COMPARED | {
    "average_subjects",
    "partition_variance",
    "tabulate_partition",
    "find_concepts",
}
AFTER_FITS = SCORED | STATISTICS | FIGURES | {"all"}
ANSWERS = {"tabulate_responses", "show_responses"}


def reconfigure(checkout, change):
    path = checkout.root / "small.yaml"
    config = yaml.safe_load(path.read_text())
    change(config)
    path.write_text(yaml.safe_dump(config))


def dry(checkout):
    return checkout.run("-n", *SMALL)


def test_finished_study_has_nothing_to_do(finished):
    assert dry(finished).jobs == {}


def test_fresh_mtimes_of_all_sources_rerun_nothing(edited):
    for folder in ("workflow_scripts", "rules", "config", "envs", "report", "profiles"):
        for path in (edited.root / folder).rglob("*"):
            path.touch()
    (edited.root / "Snakefile").touch()
    assert dry(edited).jobs == {}


def test_deleted_layer_is_refitted_with_its_job(edited):
    (edited.root / "results/small/fits/subj01/instructblip/IC/layer-2.nc").unlink()
    done = dry(edited)
    fits = {rule: n for rule, n in done.jobs.items() if rule.startswith("fit_ridge")}
    assert fits == {"fit_ridge_0_to_4_of_5": 1}
    assert done.jobs["collect_scores"] == 1
    assert set(done.jobs) - set(fits) == AFTER_FITS
    assert done.jobs["draw_winning_layer"] == 1


def test_deleted_layer_alone_is_refitted_with_one_layer_per_job(edited):
    reconfigure(edited, lambda config: config["encoding"].update(layers_per_job=1))
    # How layers are grouped into jobs decides nothing: the fits on disk stay. But no job
    # sees all layers now, so selected predictions are another rule's.
    regrouped = dry(edited).jobs
    assert regrouped["predict_selected"] == 3
    assert set(regrouped) <= {"predict_selected", *COMPARED, *FIGURES, "all"}
    name = "results/small/fits/subj01/instructblip/IC/layer-2.nc"
    before = read_dataset(edited.root / name)
    (edited.root / name).unlink()
    done = dry(edited)
    fits = {rule: n for rule, n in done.jobs.items() if rule.startswith("fit_ridge")}
    assert fits == {"fit_ridge_2_to_2_of_5": 1}
    assert set(done.jobs) - set(fits) == {*AFTER_FITS, "predict_selected"}
    assert name in done.text
    edited.run(name, *SMALL)
    assert read_dataset(edited.root / name).identical(before)
    kept = "results/small/predictions/subj01/instructblip/IC.nc"
    whole = read_dataset(edited.root / kept)
    edited.run(kept, *SMALL)
    again = read_dataset(edited.root / kept)
    np.testing.assert_array_equal(again["layer"], whole["layer"])
    np.testing.assert_allclose(again["prediction"], whole["prediction"], atol=2e-3)


def test_added_instruction_runs_exactly_its_targets(edited):
    reconfigure(edited, lambda config: config["instructions"].append("SR"))
    done = dry(edited)
    jobs = done.jobs
    assert jobs["embed"] == 2
    assert all("/SR/" in name for name in done.outputs("embed"))
    fits = {rule: n for rule, n in jobs.items() if rule.startswith("fit_ridge")}
    assert fits == {"fit_ridge_0_to_4_of_5": 1}
    assert jobs["collect_scores"] == 1
    assert jobs["tabulate_responses"] == 1
    assert set(jobs) == {"embed", *fits, *AFTER_FITS, *ANSWERS}


def test_changed_text_reruns_that_instruction(edited):
    reconfigure(
        edited,
        lambda config: config.update(instruction_texts={"IC": {"text": "Say what you see."}}),
    )
    done = dry(edited)
    # The planted signals follow the text as well: the synthetic subject changes with it.
    assert done.jobs["embed"] == 2 * 3
    assert all("/IC/" in name for name in done.outputs("embed"))
    assert done.jobs["plant_features_instructblip"] == 1


def test_changed_grid_refits_and_embeds_nothing(edited):
    reconfigure(edited, lambda config: config["encoding"]["alphas"].update(count=6))
    jobs = dry(edited).jobs
    assert not {"embed", "prepare_responses"} & set(jobs)
    assert jobs["fit_ridge_0_to_4_of_5"] == 2
    assert jobs["collect_scores"] == 4


def test_operational_settings_rerun_nothing(edited):
    def change(config):
        config["embedding"].update(batch_size=17, images_per_shard=33, device="cpu")
        config["encoding"].update(targets_per_batch=11, threads=2)

    reconfigure(edited, change)
    assert dry(edited).jobs == {}


def test_edited_solver_refits_and_redraws_and_embeds_nothing(edited):
    path = edited.root / "workflow_scripts/brainstruct/encoding/ridge.py"
    path.write_text(path.read_text() + "\nNEW = 1\n")
    jobs = dry(edited).jobs
    assert jobs["fit_ridge_0_to_4_of_5"] == 2
    assert not {"embed", "prepare_responses", "plant_features_instructblip"} & set(jobs)


def test_edited_figure_redraws_itself_alone(edited):
    path = edited.root / "workflow_scripts/brainstruct/figures/bars.py"
    path.write_text(path.read_text() + "\nNEW = 1\n")
    assert set(dry(edited).jobs) == {"draw_roi_bars", "all"}


def test_replaced_betas_refit_that_subject_and_embed_nothing(edited):
    betas = next((edited.root / "resources/small/nsd/nsddata_betas").rglob("*session01.hdf5"))
    with h5py.File(betas, "r+") as stored:
        place = tuple(np.argwhere(stored["betas"][0])[0])
        stored["betas"][(0, *place)] += 1
    jobs = dry(edited).jobs
    assert jobs["prepare_responses"] == 1
    assert not {"embed", "index_stimuli", "list_block"} & set(jobs)


def test_interrupted_study_resumes(edited):
    """A fit that is gone and a figure that is gone come back with the same content."""
    figure = edited.root / "results/small/figures/roi_bars.png"
    table = edited.root / "results/small/tables/alignment.tsv"
    before = figure.read_bytes(), table.read_bytes()
    figure.unlink()
    (edited.root / "results/small/scores/subj01/instructblip.nc").unlink()
    edited.run(*SMALL)
    assert (figure.read_bytes(), table.read_bytes()) == before
    logs = list((edited.root / "results/small/logs").rglob("*.log"))
    assert all(re.search("wrote ", log.read_text().splitlines()[-1]) for log in logs)


def test_statistics_are_made_of_a_finished_study(edited):
    edited.run("statistics", *SMALL)
    tables = edited.root / "results/small/tables"
    comparison = read_table(tables / "model_comparisons.tsv")
    assert len(comparison) > 0
    alignment = read_table(tables / "alignment.tsv", ["n_significant", "share_significant"])
    mask = alignment[(alignment["label"] == "all") & (alignment["model"] == "instructblip")]
    assert (mask["n_significant"] > 10).any()
    assert "cannot" in (tables / "model_comparisons.txt").read_text()
    assert (tables / "partition/subj01/instructblip_regions.tsv").is_file()
    assert edited.run("-n", "statistics", *SMALL).jobs == {}


def test_preset_reaches_the_fit(edited):
    reconfigure(edited, lambda config: config["encoding"].update(preset="oota2025"))
    jobs = dry(edited).jobs
    assert jobs["fit_ridge_0_to_4_of_5"] == 2
    assert not {"embed", "prepare_responses"} & set(jobs)
    name = "results/small/fits/subj01/instructblip/IC/layer-2.nc"
    edited.run(name, *SMALL)
    found = read_dataset(edited.root / name)
    results = edited.root / "results/small"
    responses = read_dataset(results / "responses/subj01.nc")
    blocks = [read_dataset(path) for path in (results / "embeddings/instructblip/IC").glob("*.nc")]
    rows = matching_images(responses["nsd_id"], [block["nsd_id"] for block in blocks])
    X = layer_features(blocks, 2, rows)
    Y = responses["betas"].transpose("nsd_id", "voxel").values
    train = (responses["split"] == "train").values
    expected = fit_oota2025(X[train], Y[train], X[~train], Y[~train])
    np.testing.assert_allclose(found["alpha"], expected.alpha, rtol=1e-5)
    np.testing.assert_allclose(found["r"], expected.r, atol=1e-5)
    log = results / "logs/fit_ridge/subj01/instructblip/IC/0-4.log"
    assert "preset oota2025" in log.read_text()


def test_himalaya_s_own_solver_finds_the_same(edited):
    target = "results/small/scores/subj01/instructblip.nc"
    ours = read_dataset(edited.root / target)
    reconfigure(edited, lambda config: config["encoding"].update(solver="himalaya"))
    edited.run(target, *SMALL)
    theirs = read_dataset(edited.root / target)
    same = np.isclose(ours["alpha"], theirs["alpha"], rtol=1e-3)
    assert same.mean() >= 0.999
    np.testing.assert_allclose(ours["r"].values[same], theirs["r"].values[same], atol=1e-4)
