"""Sizes against arithmetic by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from planned import build
from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from brainstruct.datasets.lists import image_list
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic.settings import Experiment
from brainstruct.datasets.nsd.synthetic.stimuli import write_stimuli
from brainstruct.encoding.resampling import N_DRAWS
from brainstruct.planning.amounts import _LAYER_DRAWS
from brainstruct.planning.jobs import Job
from nsd_folder import write_mask


def test_images_of_the_paper_s_study(amounts):
    assert amounts.images("shared") == 1000
    assert amounts.images("subj05") == 9000
    assert amounts.all_images == 37_000
    assert amounts.split("subj01") == (9000, 1000)


def test_fewer_sessions_show_fewer_images(paper_config):
    paper_config["data"]["sessions"] = 20
    # Half of the trials: an image is missed by three repetitions with (1/2)^3.
    assert build(paper_config).images("subj01") == 9000 * 7 / 8


def test_last_block_holds_the_rest(paper_config):
    paper_config["data"]["images_per_block"] = 4000
    amounts = build(paper_config)
    assert [amounts.block(f"subj01-00{index}") for index in range(3)] == [4000, 4000, 1000]
    assert amounts.block("shared-000") == 1000


def test_bytes_of_an_embedding(amounts):
    job = Job("embed", outputs=("a.nc",), wildcards={"model": "idefics", "block": "subj01-000"})
    states = 9000 * 33 * 4096 * 2
    answers = 9000 * (5 * 32 + 25)
    assert amounts.output_bytes(job) == states + answers + 16_000
    two = Job("embed", outputs=("a.nc", "b.nc"), wildcards=dict(job.wildcards))
    assert amounts.output_bytes(two) == 2 * amounts.output_bytes(job)


def test_full_precision_takes_twice_the_room(paper_config):
    paper_config["embedding"]["storage"] = "float32"
    states = build(paper_config).embedding_bytes("vit-h", 10) - 10 * 185 - 16_000
    assert states == 10 * 33 * 1280 * 4


def test_bytes_of_fits_and_scores(amounts):
    fit = Job(
        "fit_ridge",
        outputs=("layer-0.nc", "layer-1.nc"),
        wildcards={"subject": "subj07", "model": "vit-h"},
    )
    assert amounts.output_bytes(fit) == 2 * (12_682 * (25 + 40 + 100 + 36) + 16_000)
    assert _LAYER_DRAWS == N_DRAWS
    both = Job("fit_ridge", outputs=("layer-0.nc", "IC.nc"), wildcards=dict(fit.wildcards))
    layer, prediction = amounts.file_sizes(both).values()
    assert layer == amounts.output_bytes(fit) / 2
    assert prediction == 12_682 * (1000 * 4 + 6 + 36) + 16_000
    scores = Job("collect_scores", outputs=("s",), wildcards=dict(fit.wildcards))
    # Six values of each layer, the two ends of an interval of depth, and labels.
    assert amounts.output_bytes(scores) == 12_682 * (33 * 24 + 2 * 2 + 36) + 16_000


@pytest.mark.parametrize(("model", "width"), [("idefics", 4096), ("clip-text", 768)])
def test_published_widths(amounts, model, width):
    assert amounts.networks[model].width == width


def test_a_fetched_checkpoint_decides_its_width(amounts, tmp_path):
    folder = tmp_path / "resources/checkpoints/Salesforce--instructblip-vicuna-7b/main"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"text_config": {"hidden_size": 5120}}))
    network = amounts.networks["instructblip"]
    assert network.width == 5120
    assert network.language_parameters == pytest.approx(6.74e9 * (5120 / 4096) ** 2)


def any_model(config, hub, n_layers=29):
    entry = {"key": "any", "label": "Any", "family": "auto", "checkpoint": "any"}
    config["models"] = [entry | {"n_layers": n_layers}]
    config["checkpoints"]["any"] = {"hub": hub}
    return build(config)


@pytest.mark.parametrize(
    ("kind", "patches", "tokens"),
    [
        ("qwen2_vl", 900, 225),
        ("qwen3_vl", 676, 169),
        ("qwen3_vl_moe", 676, 169),
        ("llava", 576, 576),
        ("gemma3", None, 256),
        ("internvl", 1024, 256),
        ("paligemma", 256, 256),
    ],
)
def test_any_model_is_as_large_as_its_configuration_makes_it(
    paper_config, tmp_path, monkeypatch, kind, patches, tokens
):
    monkeypatch.chdir(tmp_path)
    config = CONFIG_MAPPING[kind]()
    with torch.device("meta"):
        network = MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING[type(config)]._from_config(config)
    folder = tmp_path / "resources/checkpoints/owner--any/main"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config.to_dict(), default=str))
    found = any_model(paper_config, "owner/any").networks["any"]
    assert found.width == config.get_text_config().hidden_size
    size = sum(parameter.numel() for parameter in network.parameters())
    assert found.parameters == pytest.approx(size, rel=0.1)
    assert found.download_bytes == 2 * found.parameters
    assert (found.patches, found.image_tokens) == (patches or found.patches, tokens)
    (folder / "model.safetensors.index.json").write_text('{"metadata": {"total_size": 12345}}')
    assert build(paper_config).networks["any"].download_bytes == 12345


def test_images_that_are_cut_into_pictures_have_their_tokens(paper_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "resources/checkpoints/owner--any/main"
    folder.mkdir(parents=True)
    sees = {"image_size": 512, "patch_size": 16}
    own = {"text_config": {"hidden_size": 576}, "vision_config": sees, "scale_factor": 4}
    (folder / "config.json").write_text(json.dumps(own))
    images = {"do_image_splitting": True, "size": {"longest_edge": 2048}}
    images |= {"max_image_size": {"longest_edge": 512}}
    (folder / "preprocessor_config.json").write_text(json.dumps(images))
    found = any_model(paper_config, "owner/any").networks["any"]
    assert (found.patches, found.image_tokens) == (17 * 1024, 17 * 64)


@pytest.mark.parametrize(
    ("hub", "n_layers", "size", "width"),
    [
        ("Qwen/Qwen2.5-VL-72B-Instruct", 81, 72e9, 8192),
        ("Qwen/Qwen2.5-VL-7B-Instruct", 29, 7e9, 3584),
        ("google/gemma-3-4b-it", 35, 4e9, 2560),
        ("HuggingFaceTB/SmolVLM-256M-Instruct", 31, 256e6, 576),
    ],
)
def test_the_name_of_a_repository_tells_how_large_it_is(paper_config, hub, n_layers, size, width):
    found = any_model(paper_config, hub, n_layers).networks["any"]
    assert found.parameters == pytest.approx(size)
    assert found.download_bytes == pytest.approx(2 * size, rel=0.02)
    assert found.width == pytest.approx(width, rel=0.4)


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"text_config": 3}', '{"text_config": {"hidden_size": "wide"}}']
)
def test_a_damaged_configuration_decides_nothing(paper_config, tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    usual = any_model(paper_config, "owner/any-7B").networks["any"]
    folder = tmp_path / "resources/checkpoints/owner--any-7B/main"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(content)
    assert build(paper_config).networks["any"] == usual


def test_the_demo_s_checkpoints_are_tiny_before_they_are_built(demo_config):
    networks = build(demo_config).networks
    assert networks["mplug-owl"].width == 64
    assert networks["clip-image"].width == 32


def test_images_and_voxels_are_counted_in_files_that_are_there(paper_config, tmp_path):
    layout = Layout(tmp_path / "nsd")
    plan = Experiment(seed=1, sessions={"subj01": 2}, shared_images=100, unique_images=400)
    write_stimuli(layout, plan, image_size=8)
    paper_config["data"] |= {"nsd_root": str(layout.nsd_root), "sessions": 1}
    paper_config["subjects"] = ["subj01"]
    amounts = build(paper_config)
    images = image_list(amounts.dataset, amounts.dataset.reader(), "subj01")
    counts = images["split"].value_counts()
    assert amounts.split("subj01") == (counts["train"], counts["test"])
    assert amounts.images("subj01") == counts["train"] != 9000 * (1 - (39 / 40) ** 3)
    assert amounts.voxels("subj01") == 15_724  # its mask is not there yet

    write_mask(layout, "subj01", np.arange(24).reshape(2, 3, 4) > 4)
    assert build(paper_config).voxels("subj01") == 19
    layout.roi_file("subj01", "nsdgeneral").write_bytes(b"damaged")
    assert build(paper_config).voxels("subj01") == 15_724


def test_sessions_to_come_are_as_large_as_those_that_are_there(paper_config, tmp_path):
    paper_config["data"]["nsd_root"] = str(tmp_path / "nsd")
    amounts = build(paper_config)
    first, *_, last = amounts.dataset.response_files("subj01", "nsdgeneral")[:40]
    assert amounts.dataset.expected_bytes(last) == 1_050_000_000
    first.parent.mkdir(parents=True)
    first.write_bytes(bytes(5000))
    assert amounts.dataset.expected_bytes(last) == 5000
