"""Sizes against arithmetic by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from planned import build

from brainstruct.datasets.lists import image_list
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic.settings import Experiment
from brainstruct.datasets.nsd.synthetic.stimuli import write_stimuli
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
    assert amounts.output_bytes(fit) == 2 * (12_682 * (25 + 40 + 36) + 16_000)
    both = Job("fit_ridge", outputs=("layer-0.nc", "IC.nc"), wildcards=dict(fit.wildcards))
    layer, prediction = amounts.file_sizes(both).values()
    assert layer == amounts.output_bytes(fit) / 2
    assert prediction == 12_682 * (1000 * 4 + 6 + 36) + 16_000
    scores = Job("collect_scores", outputs=("s",), wildcards=dict(fit.wildcards))
    assert amounts.output_bytes(scores) == 33 * 12_682 * 24 + 12_682 * 36 + 16_000


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
