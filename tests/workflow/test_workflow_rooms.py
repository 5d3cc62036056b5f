from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from brainstruct.config.loading import load_study
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.errors import InputError
from brainstruct.models.registry import FAMILIES
from brainstruct.workflow.formats import STAGES
from brainstruct.workflow.identity import stage_identity
from brainstruct.workflow.rooms import Rooms


def build(config):
    return Rooms.of(load_study(config))


def wild(**values):
    return SimpleNamespace(**values)


def test_every_image_belongs_to_one_block(paper_config):
    paper_config["data"]["images_per_block"] = 2000
    rooms = build(paper_config)
    assert rooms.data.blocks_of("shared") == ["shared-000"]
    assert rooms.data.blocks_of("subj05") == [f"subj05-{index:03d}" for index in range(5)]
    assert len(set(rooms.data.blocks)) == len(rooms.data.blocks) == 1 + 4 * 5


@pytest.mark.parametrize(("size", "count"), [("all", 1), (1, 33), (8, 5)])
def test_chunks_cover_every_layer_once(paper_config, size, count):
    paper_config["encoding"]["layers_per_job"] = size
    rooms = build(paper_config)
    chunks = rooms.encoding.layer_chunks(rooms.data.study.model("instructblip"))
    assert len(chunks) == count
    assert [layer for chunk in chunks for layer in chunk] == list(range(33))


def test_models_share_a_chunk_only_if_it_is_the_same(paper_config):
    rooms = build(paper_config)
    found = rooms.encoding.fit_jobs()
    assert sum(len(job.models) for job in found) == len(rooms.data.study.models)
    assert {len(job.layers) for job in found} == {33, 25, 13}
    assert all(job.predicts for job in found)
    assert rooms.encoding.split_models == []


def test_some_jobs_see_all_layers_and_others_do_not(paper_config):
    paper_config["encoding"]["layers_per_job"] = 13
    rooms = build(paper_config)
    jobs = {job.name: job for job in rooms.encoding.fit_jobs()}
    assert jobs["fit_ridge_0_to_12_of_13"].predicts
    assert jobs["fit_ridge_0_to_12_of_13"].models == ("clip-text",)
    assert not jobs["fit_ridge_0_to_12_of_33"].predicts
    assert not jobs["fit_ridge_26_to_32_of_33"].predicts
    assert rooms.encoding.split_models == [
        model.key for model in rooms.data.study.models if model.key != "clip-text"
    ]


def test_every_set_of_layers_has_a_rule_of_its_own(paper_config):
    for model, middle in zip(paper_config["models"], (5, 7, 7), strict=False):
        model["layers"] = [0, middle, 32]
    rooms = build(paper_config)
    names = [job.name for job in rooms.encoding.fit_jobs()]
    assert names[:2] == ["fit_ridge_0_5_32_of_3", "fit_ridge_0_7_32_of_3"]
    assert len(set(names)) == len(names)


def test_every_set_of_instructions_has_a_rule_of_its_own(paper_config):
    texts = paper_config["instruction_texts"]
    paper_config["instructions"] += ["a", "b", "a-b"]
    texts |= dict.fromkeys(["a", "b", "a-b"], texts["IC"])
    paper_config["embedding"]["instructions_per_job"] = "all"
    for model, own in zip(paper_config["models"], (["a", "b"], ["a-b"]), strict=False):
        model["instructions"] = own
    rooms = build(paper_config)
    kinds = {kind.instructions: kind.models for kind in rooms.models.embed_jobs().values()}
    assert kinds["a", "b"] == ("instructblip",)
    assert kinds["a-b",] == ("mplug-owl",)


def test_models_without_instructions_run_once(paper_config):
    rooms = build(paper_config)
    assert rooms.encoding.instructions(wild(model="vit-h")) == ["none"]
    assert rooms.models.texts_of(["none", "VQ1"]) == {"none": None, "VQ1": "What is in this image?"}
    assert rooms.encoding.fits_of("subj01", "clip-text")[-1] == (
        "results/fits/subj01/clip-text/none/layer-12.nc"
    )


def test_settings_that_decide_nothing_are_no_parameters(paper_config):
    before = build(paper_config)
    paper_config["embedding"].update(batch_size=3, images_per_shard=7, device="cpu")
    paper_config["encoding"].update(
        targets_per_batch=9, threads=13, layers_per_job=2, backend="numpy", gpus=1,
        stage_embeddings=True,
    )  # fmt: skip
    after = build(paper_config)
    assert before.models.settings(wild(model="vit-h")) == after.models.settings(wild(model="vit-h"))
    assert before.encoding.settings == after.encoding.settings


def test_preset_brings_its_own_settings(paper_config):
    plain = build(paper_config)
    assert plain.encoding.settings["preset"] is None
    assert plain.data.study.alignment.layers == "best"
    paper_config["encoding"]["preset"] = "oota2025"
    rooms = build(paper_config)
    assert rooms.encoding.settings == {
        "preset": "oota2025",
        "permutations": 1000,
    }
    assert rooms.data.study.alignment.layers == "mean"
    # What the preset ignores decides nothing, but partitions go on using it.
    paper_config["encoding"]["alphas"]["count"] = 7
    other = build(paper_config)
    assert other.encoding.settings == rooms.encoding.settings
    assert other.data.study.encoding.alphas.model_dump()["count"] == 7


def sessions(rooms, subject):
    """Sessions that jobs of a subject read."""
    return rooms.data.about_betas(wild(subject=subject))["sessions"]


def test_released_sessions_are_assumed_where_there_is_nothing(paper_config, tmp_path):
    paper_config["data"]["nsd_root"] = str(tmp_path)
    rooms = build(paper_config)
    assert sessions(rooms, "subj01") == 40
    assert rooms.data.inputs.subject("subj01") == []
    assert set(rooms.data.inputs.missing) == set(rooms.data.study.subjects)
    betas = [name for name in rooms.data.inputs.required() if "betas_session" in name]
    assert len(betas) == 4 * 40
    assert rooms.data.about_images(wild(image_set="shared"))["sessions"] == 40


def test_sessions_on_disk_are_found(paper_config, tmp_path):
    paper_config["data"]["nsd_root"] = str(tmp_path)
    paper_config["subjects"] = ["subj02"]
    rooms = build(paper_config)
    layout = rooms.data.dataset.layout
    folder = layout.betas_folder("subj02")
    folder.mkdir(parents=True)
    for session in (1, 2, 3):
        layout.betas_file("subj02", session, "nifti").touch()
    rooms = build(paper_config)
    assert sessions(rooms, "subj02") == 3
    assert rooms.data.about_betas(wild(subject="subj02"))["format"] == "nifti"
    paper_config["data"]["sessions"] = {"subj02": 2}
    rooms = build(paper_config)
    assert sessions(rooms, "subj02") == 2


def test_a_study_may_read_fewer_subjects_than_are_written(demo_config):
    demo_config["subjects"] = ["subj02"]
    rooms = build(demo_config)
    assert rooms.data.about_images(wild(image_set="shared"))["sessions"] == 2
    assert any("betas_session03" in name for name in rooms.synthetic.files("subj01"))
    assert sessions(rooms, "subj02") == 2


def test_figures_of_multimodal_models_are_drawn_for_every_subject(paper_config):
    rooms = build(paper_config)
    drawn = rooms.figures.all_figures
    assert rooms.figures.mllms == ["instructblip", "mplug-owl", "idefics"]
    assert "results/figures/noise_ceiling.svg" in drawn
    for subject in rooms.data.study.subjects:
        assert f"results/figures/alignment_maps/{subject}.svg" in drawn
        assert f"results/figures/model_scatter/{subject}.svg" in drawn
        assert f"results/figures/concepts/{subject}_idefics.svg" in drawn
    assert "results/figures/shared_variance/mplug-owl.svg" in drawn
    assert len(set(drawn)) == len(drawn)
    winners = rooms.encoding.of_models(rooms.encoding.winners, rooms.figures.mllms)
    assert winners(wild(subject="subj02")) == [
        f"results/winners/subj02/{model}.nc" for model in rooms.figures.mllms
    ]


def keep(config, *keys):
    config["models"] = [model for model in config["models"] if model["key"] in keys]


def test_a_single_multimodal_model_meets_no_other(paper_config):
    keep(paper_config, "idefics", "vit-h")
    rooms = build(paper_config)
    assert not [name for name in rooms.figures.all_figures if "model_scatter" in name]
    assert [name for name in rooms.figures.all_figures if "alignment_maps" in name]
    assert rooms.figures.baselines["*"]["models"] == []
    assert rooms.figures.baselines["^"] == {"models": ["vit-h"], "label": "ViT-H"}


def test_without_multimodal_models_no_instructions_are_compared_or_mapped(paper_config):
    keep(paper_config, "vit-h", "clip-text")
    rooms = build(paper_config)
    assert rooms.statistics.model_table == ["results/tables/model_comparisons.tsv"]
    assert rooms.statistics.instruction_table == []
    names = {name.split("/")[2].removesuffix(".svg") for name in rooms.figures.all_figures}
    assert names == {
        "roi_bars",
        "layer_profiles",
        "noise_ceiling",
        "winning_layer",
        "winning_model",
    }


def test_one_instruction_has_no_race(paper_config):
    paper_config["instructions"] = ["IC"]
    rooms = build(paper_config)
    names = {name.split("/")[2].removesuffix(".svg") for name in rooms.figures.all_figures}
    assert "alignment_maps" in names and "model_scatter" in names
    assert not names & {"winning_instruction", "concepts", "shared_variance"}
    assert rooms.statistics.instruction_table == []


def test_concepts_of_other_instructions_are_not_drawn(paper_config):
    paper_config["instructions"] = ["IC", "VR"]
    paper_config["concepts"] = {"counts": ["IU3"]}
    rooms = build(paper_config)
    assert rooms.statistics.concept_models == []
    made = rooms.figures.all_figures + rooms.statistics.all_statistics
    assert not [name for name in made if "concepts" in name]


def test_bars_are_marked_against_random_weights_and_vision(paper_config):
    rooms = build(paper_config)
    assert rooms.figures.baselines == {
        "*": {
            "models": ["instructblip-random", "mplug-owl-random", "idefics-random"],
            "label": "random weights",
        },
        "^": {"models": ["vit-h"], "label": "ViT-H"},
    }


def test_pairs_are_of_the_reference_with_each_other_or_all(paper_config):
    def pairs(reference, instructions):
        paper_config["partition"]["reference"] = reference
        paper_config["instructions"] = instructions
        return build(paper_config).statistics.pairs_of("idefics")

    assert pairs("IC", ["VQ1", "IC", "SR"]) == [("IC", "VQ1"), ("IC", "SR")]
    assert pairs("all", ["IC", "VQ1", "SR"]) == [("IC", "VQ1"), ("IC", "SR"), ("VQ1", "SR")]
    assert pairs("IC", ["IC"]) == []
    with pytest.raises(InputError, match="so nothing could be partitioned"):
        pairs("IC", ["VQ1", "SR"])


def test_shared_variance_is_shown_against_the_reference(paper_config):
    rooms = build(paper_config)
    assert rooms.figures.reference(wild(model="idefics")) == "IC"
    paper_config["partition"]["reference"] = "all"
    paper_config["instructions"] = ["SR", "VR", "IC"]
    rooms = build(paper_config)
    assert rooms.figures.reference(wild(model="idefics")) == "SR"


def test_parsing_looks_at_every_file_once(paper_config, tmp_path, monkeypatch):
    """Each job of a study parses anew, and the data may lie on a network disk."""
    paper_config["data"]["nsd_root"] = str(tmp_path)
    paper_config["flatmaps"]["store"] = None
    rooms = build(paper_config)
    inputs = rooms.data.inputs
    folders = [inputs.dataset.layout.betas_folder(subject) for subject in inputs.study.subjects]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "betas_session01.hdf5").touch()
    looked, listed = Counter(), Counter()
    exists, iterdir = Path.exists, Path.iterdir
    monkeypatch.setattr(Path, "exists", lambda path: looked.update([path]) or exists(path))
    monkeypatch.setattr(Path, "iterdir", lambda path: listed.update([path]) or iterdir(path))
    for _ in range(3):
        assert rooms.data.inputs.missing.keys() == set(inputs.study.subjects)
        assert rooms.data.inputs.subject("subj01") == [f"{folders[0]}/betas_session01.hdf5"]
        rooms.data.inputs.lists()
        rooms.data.inputs.stimuli()
    assert set(map(str, looked)) >= set(rooms.data.inputs.required())
    assert max(looked.values()) == 1
    assert listed == dict.fromkeys(folders, 1)


def test_gpus_are_asked_for_where_they_are_used(paper_config):
    rooms = build(paper_config)
    one = SimpleNamespace(model="instructblip")
    assert rooms.models.gpus(one) == 1
    paper_config["embedding"]["device"] = "cpu"
    rooms = build(paper_config)
    assert rooms.models.gpus(one) == 0


def test_a_stage_knows_the_class_of_its_model_and_no_other_family(paper_config, monkeypatch):
    rooms = build(paper_config)

    def code(model):
        return rooms.models.embed_code(wild(model=model))

    image, text = code("clip-image"), code("clip-text")
    assert image == "embed 1, ClipImage 1, pixels 1, files 4"
    assert text == "embed 1, ClipText 1, captions 1, files 4"
    for change in ({"name": "ClipTextTower"}, {"format": 2}):
        monkeypatch.setitem(FAMILIES, "clip-text", replace(FAMILIES["clip-text"], **change))
        assert code("clip-text") != text
        assert code("clip-image") == image
        text = code("clip-text")


def test_where_captions_lie_is_no_matter_to_models_of_images(paper_config):
    def said(model):
        return build(paper_config).models.about_stimuli(wild(model=model))

    before = {model: said(model) for model in ("clip-image", "clip-text", "instructblip")}
    paper_config["data"]["annotations"] = "elsewhere"
    assert {model for model, told in before.items() if said(model) != told} == {"clip-text"}


def test_a_stage_knows_the_numbers_of_what_it_reads(paper_config, monkeypatch):
    data = build(paper_config).data
    assert data.code("prepare_responses", "betas") == "prepare_responses 2, betas 1, files 4"
    hashed = data.code("export_subject", "places")
    assert hashed == f"{stage_identity('export_subject')}, places 1"
    monkeypatch.setattr(Nsd, "formats", {**Nsd.formats, "places": 2})
    assert data.code("export_subject", "places") != hashed
    monkeypatch.setattr(Nsd, "formats", {})  # as a data set of one's own
    assert data.code("prepare_responses", "betas") == "prepare_responses 2, files 4"
    monkeypatch.setitem(STAGES, "prepare_responses", 2)
    assert data.code("prepare_responses", "betas") == "prepare_responses 2, files 4"


def test_revisions_are_downloaded_to_folders_of_their_own(paper_config):
    def folder(**changes):
        source = {"hub": "owner/name", "revision": "main"} | changes
        rooms = build(paper_config | {"checkpoints": checkpoints | {"clip": source}})
        return rooms.models.checkpoint_folder("clip")

    checkpoints = paper_config["checkpoints"]
    assert folder() == "resources/checkpoints/owner--name/main"
    assert folder(revision="refs/pr/3") == "resources/checkpoints/owner--name/refs--pr--3"
    assert folder(path="/my/own") == "/my/own"
    others = {folder(), folder(hub="other/name"), folder(revision="v2")}
    assert len(others) == 3


def test_models_on_the_cpu_have_the_threads_of_a_fit(paper_config):
    assert build(paper_config).models.threads == 1
    paper_config["embedding"]["device"] = "cpu"
    assert build(paper_config).models.threads == paper_config["encoding"]["threads"] == 4
