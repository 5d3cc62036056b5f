"""After a change, exactly what depends on it is done again."""

from __future__ import annotations

import re

import h5py
import numpy as np
import pytest
import yaml
from checkout import SMALL

from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import read_table
from brainstruct.workflow.formats import STAGES

pytestmark = pytest.mark.study

NSD = "resources/small/nsd"

BLOCKS = 2
FITS = {"instructblip": 2, "mplug-owl": 1, "idefics-random": 1, "clip-text": 1}
"""Model -> fit jobs, one per instruction."""

OF_THE_STUDY = {
    "join_tables",
    "average_subjects",
    "draw_roi_bars",
    "draw_instruction_rois",
    "draw_layer_profiles",
    "build_viewer",
    "list_viewers",
    "write_methods",
}
OF_EACH_MODEL = {"collect_scores", "find_winners", "tabulate_rois", "draw_winning_layer"}
OF_COMPARISONS = {
    "compare_models",
    "tabulate_comparisons_models",
    "find_best_models",
    "draw_winning_model",
    "compare_with_paper",
}
OF_MULTIMODAL_MODELS = {"draw_alignment_maps", "draw_model_scatter"}
OF_SEVERAL_INSTRUCTIONS = {
    "compare_instructions",
    "tabulate_comparisons_instructions",
    "partition_variance",
    "tabulate_partition",
    "draw_shared_variance",
    "find_concepts",
    "draw_concepts",
    "draw_winning_instruction",
    "draw_planted_recovered",
    "tabulate_recovery",
}
FIGURES = {
    "draw_roi_bars": 1,
    "draw_instruction_rois": 1,
    "draw_layer_profiles": 1,
    "draw_noise_ceiling": 1,
    "draw_alignment_maps": 1,
    "draw_model_scatter": 1,
    "draw_concepts": 1,
    "draw_shared_variance": 1,
    "draw_winning_instruction": 1,
    "draw_winning_layer": len(FITS),
    "draw_winning_model": 1,
    "draw_planted_recovered": 1,
    "pack_surface": 1,
    "build_viewer": 1,
    "list_viewers": 1,
}


def after_scores(*models):
    """Jobs that follow when scores of these models are renewed."""
    jobs = dict.fromkeys(OF_THE_STUDY, 1) | dict.fromkeys(OF_EACH_MODEL, len(models))
    if {"instructblip", "mplug-owl"} & set(models):
        jobs |= dict.fromkeys(OF_MULTIMODAL_MODELS, 1)
    if "instructblip" in models:
        jobs |= dict.fromkeys(OF_SEVERAL_INSTRUCTIONS, 1)
    return jobs


def after_fits(*models):
    """Jobs that follow when fits of these models are renewed, their predictions with them."""
    sure = {"assess_scores": len(models)} | dict.fromkeys(OF_COMPARISONS, 1)
    return sure | after_scores(*models)


def after_predictions(*models):
    """Jobs that follow when predictions of these models are renewed, and no score is."""
    jobs = after_fits(*models)
    for rule in ("collect_scores", "partition_variance", "tabulate_partition"):
        jobs.pop(rule)
    jobs.pop("draw_shared_variance")
    return jobs


def after_embeddings(count):
    """Jobs that follow when so many pairs of model and instruction are embedded anew."""
    return {"embed": BLOCKS * count, "tabulate_responses": count, "show_responses": 1}


def folded(jobs):
    """Jobs by rule, those that fit as one; without the target, which computes nothing."""
    found = {rule: n for rule, n in jobs.items() if rule != "all"}
    fits = [found.pop(rule) for rule in list(found) if rule.startswith("fit_ridge")]
    return found | ({"fit_ridge": sum(fits)} if fits else {})


def reconfigure(checkout, change):
    path = checkout.root / "small.yaml"
    config = yaml.safe_load(path.read_text())
    change(config)
    path.write_text(yaml.safe_dump(config, sort_keys=False))


def dry(checkout):
    return checkout.run("-n", *SMALL)


def shows_changes(checkout, folder):
    """Return what shows where a change of the configuration leads; nothing is written."""

    def show(change):
        config = yaml.safe_load((checkout.root / "small.yaml").read_text())
        change(config)
        path = folder / "changed.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        return checkout.run("-n", "--configfile", str(path))

    return show


@pytest.fixture
def changed(finished, tmp_path):
    return shows_changes(finished, tmp_path)


def entry(config, key):
    """Return the entry of a model."""
    return next(model for model in config["models"] if model["key"] == key)


def append(path, line="NEW = 1"):
    path.write_text(f"{path.read_text()}\n{line}\n")


def test_finished_study_has_nothing_to_do(finished):
    assert dry(finished).jobs == {}


def test_fresh_mtimes_of_all_sources_rerun_nothing(edited):
    for folder in ("workflow_scripts", "rules", "config", "envs", "report", "profiles"):
        for path in (edited.root / folder).rglob("*"):
            path.touch()
    (edited.root / "Snakefile").touch()
    assert dry(edited).jobs == {}
    # Nor do data, a checkpoint's manifest or results that are touched and stay the same.
    betas = next((edited.root / NSD).rglob("*session01.hdf5"))
    for path in (
        betas,
        edited.root / "results/small/checkpoints/clip.json",
        edited.root / "results/small/stimuli/subj01.tsv",
        edited.root / "results/small/embeddings/instructblip/IC/subj01-000.nc",
        edited.root / "results/small/fits/subj01/clip-text/none/layer-0.nc",
    ):
        path.touch()
    assert dry(edited).jobs == {}


def test_deleted_layer_is_refitted_with_its_job(edited):
    (edited.root / "results/small/fits/subj01/instructblip/IC/layer-2.nc").unlink()
    done = dry(edited)
    assert done.jobs["fit_ridge_0_to_4_of_5"] == 1
    assert folded(done.jobs) == {"fit_ridge": 1} | after_fits("instructblip")


def test_deleted_layer_alone_is_refitted_with_one_layer_per_job(edited):
    reconfigure(edited, lambda config: config["encoding"].update(layers_per_job=1))
    # How layers are grouped into jobs decides no fit; single layers cannot keep predictions.
    predictions = {"predict_selected": 3} | after_predictions("instructblip", "clip-text")
    assert folded(dry(edited).jobs) == predictions
    name = "results/small/fits/subj01/instructblip/IC/layer-2.nc"
    before = read_dataset(edited.root / name)
    (edited.root / name).unlink()
    done = dry(edited)
    assert done.jobs["fit_ridge_2_to_2_of_5"] == 1
    assert folded(done.jobs) == {"fit_ridge": 1} | after_fits("instructblip") | predictions
    assert name in done.text
    edited.run(name, *SMALL)
    assert read_dataset(edited.root / name).identical(before)
    kept = "results/small/predictions/subj01/instructblip/IC.nc"
    whole = read_dataset(edited.root / kept)
    edited.run(kept, *SMALL)
    again = read_dataset(edited.root / kept)
    np.testing.assert_array_equal(again["layer"], whole["layer"])
    np.testing.assert_allclose(again["prediction"], whole["prediction"], atol=2e-3)


def test_added_instruction_runs_exactly_its_targets(changed):
    done = changed(lambda config: config["instructions"].append("SR"))
    assert folded(done.jobs) == (
        after_embeddings(1) | {"fit_ridge": 1} | after_fits("instructblip")
    )
    assert all("/instructblip/SR/" in name for name in done.outputs("embed"))


def test_changed_text_reruns_that_instruction(changed):
    text = {"IC": {"text": "Say what you see."}}
    done = changed(lambda config: config.update(instruction_texts=text))
    asked = ("instructblip", "mplug-owl", "idefics-random")
    assert folded(done.jobs) == after_embeddings(3) | {"fit_ridge": 3} | after_fits(*asked)
    assert all("/IC/" in name for name in done.outputs("embed"))


def test_added_layer_embeds_and_refits_its_model_and_asks_it_nothing(edited):
    reconfigure(edited, lambda config: entry(config, "mplug-owl").update(layers=[2, 3]))
    done = dry(edited)
    assert folded(done.jobs) == {"embed": BLOCKS, "fit_ridge": 1} | after_fits("mplug-owl")
    assert "layers was [3], is [2, 3] (embed: 2)" in done.text
    blocks = sorted((edited.root / "results/small/embeddings/mplug-owl/IC").iterdir())
    before = [read_dataset(path) for path in blocks]
    edited.run("results/small/scores/subj01/mplug-owl.nc", *SMALL)
    for path, old in zip(blocks, before, strict=True):
        new = read_dataset(path)
        assert new["layer"].values.tolist() == [2, 3]
        assert new.sel(layer=[3]).equals(old)
    # Embeddings with more layers than are fitted are as good as those without.
    reconfigure(edited, lambda config: entry(config, "mplug-owl").update(layers=[2]))
    assert not {"embed", "fit_ridge"} & folded(dry(edited).jobs).keys()


def test_added_layer_alone_is_fitted_with_one_layer_per_job(changed):
    def change(config):
        entry(config, "mplug-owl").update(layers=[2, 3])
        config["encoding"].update(layers_per_job=1)

    done = changed(change)
    jobs = folded(done.jobs)
    assert jobs.pop("predict_selected") == 4
    assert jobs == (
        {"embed": BLOCKS, "fit_ridge": 1}
        | after_fits("mplug-owl")
        | after_predictions("instructblip", "mplug-owl", "clip-text")
    )
    assert done.outputs("fit_ridge_2_to_2_of_2") == [
        "results/small/fits/subj01/mplug-owl/IC/layer-2.nc"
    ]


def test_a_dropped_layer_leaves_nothing_behind_and_fits_nothing(edited):
    reconfigure(edited, lambda config: entry(config, "clip-text").update(layers=[2]))
    jobs = folded(dry(edited).jobs)
    assert jobs.pop("predict_selected") == 1
    assert jobs == after_fits("clip-text")
    predictions = "results/small/predictions/subj01/clip-text/none.nc"
    edited.run(predictions, *SMALL)
    assert set(read_dataset(edited.root / predictions)["layer"].values) == {2}


def test_changed_grid_refits_and_embeds_nothing(changed):
    done = changed(lambda config: config["encoding"]["alphas"].update(count=6))
    assert folded(done.jobs) == {"fit_ridge": sum(FITS.values())} | after_fits(*FITS)


def test_a_revision_that_a_folder_wins_over_reruns_nothing(changed):
    done = changed(lambda config: config["checkpoints"]["mplug-owl"].update(revision="v2"))
    assert done.jobs == {}


def test_operational_settings_rerun_nothing(changed):
    def change(config):
        config["embedding"].update(batch_size=17, images_per_shard=33)
        config["encoding"].update(targets_per_batch=11, threads=2)

    assert changed(change).jobs == {}


def test_code_that_costs_is_known_by_its_number(edited):
    package = edited.root / "workflow_scripts/brainstruct"
    append(package / "encoding/solver/__init__.py")
    (package / "encoding/permutation.py").rename(package / "encoding/shuffled.py")
    for path in (edited.root / "workflow_scripts").rglob("*.py"):
        text = path.read_text()
        if "encoding.permutation" in text:
            path.write_text(text.replace("encoding.permutation", "encoding.shuffled"))
    # What takes minutes has a hash of its code, and of what it imports.
    jobs = folded(dry(edited).jobs)
    assert jobs["assess_scores"] == len(FITS)
    # Tables of partitions import nothing of what makes them.
    spared = {"fit_ridge", "partition_variance", "compare_models", "embed", "tabulate_partition"}
    assert not set(jobs) & spared
    number = STAGES["fit_ridge"]
    formats = package / "workflow/formats.py"
    text = formats.read_text()
    formats.write_text(text.replace(f'"fit_ridge": {number}', f'"fit_ridge": {number + 1}'))
    assert formats.read_text() != text
    done = dry(edited)
    assert folded(done.jobs) == {"fit_ridge": sum(FITS.values())} | after_fits(*FITS)
    said = f"code was fit_ridge {number}, files 4, is fit_ridge {number + 1}, files 4"
    assert said in done.text


def test_edited_figures_redraw_themselves_alone(edited):
    append(edited.root / "workflow_scripts/brainstruct/figures/roi_bars.py")
    assert folded(dry(edited).jobs) == {"draw_roi_bars": 1}
    # A colour and a line width belong to all figures.
    style = edited.root / "workflow_scripts/brainstruct/figures/colours.toml"
    before = style.read_text()
    style.write_text(before.replace("#38162b", "#38162c"))
    assert style.read_text() != before
    assert folded(dry(edited).jobs) == FIGURES
    style.write_text(before)
    append(edited.root / "workflow_scripts/brainstruct/figures/matplotlibrc", "lines.linewidth: 9")
    assert folded(dry(edited).jobs) == FIGURES


def test_replaced_betas_refit_that_subject_and_embed_nothing(edited):
    betas = next((edited.root / NSD / "nsddata_betas").rglob("*session01.hdf5"))
    with h5py.File(betas, "r+") as stored:
        place = tuple(np.argwhere(stored["betas"][0])[0])
        stored["betas"][(0, *place)] += 1
    jobs = folded(dry(edited).jobs)
    prepared = {"prepare_responses": 1, "estimate_ceiling": 1, "draw_noise_ceiling": 1}
    prepared["fit_ridge"] = sum(FITS.values())
    assert jobs == prepared | after_fits(*FITS)


def test_other_regions_fit_nothing(changed):
    done = changed(lambda config: config["data"].update(rois=["floc-bodies"]))
    jobs = folded(done.jobs)
    assert not set(jobs) & {"prepare_responses", "embed", "fit_ridge", "collect_scores"}
    assert jobs["estimate_ceiling"] == jobs["draw_noise_ceiling"] == 1
    assert jobs["tabulate_rois"] == jobs["find_winners"] == len(FITS)


def test_interrupted_study_resumes(edited):
    """A fit that is gone and a figure that is gone come back with the same content."""
    figure = edited.root / "results/small/figures/roi_bars.png"
    table = edited.root / "results/small/tables/alignment.tsv"
    before = figure.read_bytes(), table.read_bytes()
    figure.unlink()
    (edited.root / "results/small/scores/subj01/instructblip.nc").unlink()
    said = edited.run(*SMALL).text
    assert (figure.read_bytes(), table.read_bytes()) == before
    assert re.search(r"^Study small: \d+ files made by \d+ jobs in 0:\d\d:\d\d\.$", said, re.M)
    assert "results/small/scores" in said
    assert "--configfile small.yaml --report results/small/report.html" in said
    logs = list((edited.root / "results/small/logs").rglob("*.log"))
    assert all(re.search("wrote ", log.read_text().splitlines()[-1]) for log in logs)
    # What the study no longer has is named at the end, and stays.
    config = yaml.safe_load((edited.root / "small.yaml").read_text())
    config["models"] = [model for model in config["models"] if model["key"] != "clip-text"]
    (edited.root / "small.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    scores = [
        edited.root / f"results/small/scores/subj01/{key}.nc" for key in ("mplug-owl", "clip-text")
    ]
    scores[0].unlink()
    said = edited.run("results/small/scores/subj01/mplug-owl.nc", *SMALL).text
    assert "of what this study no longer has (checkpoint clip, model clip-text)" in said
    left = (edited.root / "results/small/leftovers.txt").read_text().splitlines()
    assert "results/small/scores/subj01/clip-text.nc" in left
    assert all("clip" in name for name in left)
    assert scores[1].exists()


def test_statistics_are_made_of_a_finished_study(edited):
    edited.run("statistics", *SMALL)
    tables = edited.root / "results/small/tables"
    comparison = read_table(tables / "model_comparisons.tsv")
    assert len(comparison) > 0
    assert "cannot" in (tables / "model_comparisons.txt").read_text()
    assert (tables / "partition/subj01/instructblip_regions.tsv").is_file()
    assert edited.run("-n", "statistics", *SMALL).jobs == {}


def test_himalaya_s_own_solver_finds_the_same(edited):
    target = "results/small/scores/subj01/instructblip.nc"
    ours = read_dataset(edited.root / target)
    reconfigure(edited, lambda config: config["encoding"].update(solver="himalaya"))
    edited.run(target, *SMALL)
    theirs = read_dataset(edited.root / target)
    same = np.isclose(ours["alpha"], theirs["alpha"], rtol=1e-3)
    assert same.mean() >= 0.999
    np.testing.assert_allclose(ours["r"].values[same], theirs["r"].values[same], atol=1e-4)
