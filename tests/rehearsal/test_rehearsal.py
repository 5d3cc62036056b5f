"""The rehearsal's data are what it says they are, and its table is what jobs accounted for.

All of it, tiny, behind BRAINSTRUCT_REHEARSAL_FULL=1 (`make test-full`): six minutes.
"""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from size import NAMED, Size
from states import LARGER, OUTLIERS, States
from subject import voxels_of, write_images
from table import FOUND, HEAD, LONG, compare, document, shown

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic.photographs import draw_crop
from brainstruct.planning.amounts import Amounts
from brainstruct.planning.jobs import Job
from brainstruct.planning.plan import make_plan
from brainstruct.planning.report import Plan, Stage
from brainstruct.store.ledger import Entry, Ledger, Made


def test_the_full_size_is_the_nsd_s():
    full = NAMED["full"]
    assert (full.sessions, full.shared, full.own) == (40, 1000, 9000)
    assert (full.n_voxels, full.width) == (15_724, 4096)
    assert Size.parse("images=0.5,width=1280") == Size(images=0.5, width=1280)
    half = NAMED["other"]
    assert 3 * (half.shared + half.own) == 750 * half.sessions == 15_000
    assert voxels_of(full, 10_597) == {"max_labelled": 10_597, "n_unlabelled": 5_127}


def test_states_are_like_those_of_language_models():
    ids = np.arange(0, 3000, 2)
    states = States(ids, width=256, seed=1)
    layer = states.layer("model", "IC", 1)
    assert np.array_equal(layer, States(ids, 256, 1).layer("model", "IC", 1))
    spread = np.sort(layer.std(axis=0))
    assert spread[-OUTLIERS] > 0.3 * LARGER * np.median(spread)
    usual = layer[:, layer.std(axis=0) < spread[-OUTLIERS]]
    values = np.linalg.svd(usual - usual.mean(axis=0), compute_uv=False)
    assert values[0] > 3 * values[30] > 3 * values[100] > 0
    # Another instruction shares some of what an image is, and not all of it.
    other = states.layer("model", "VQ2", 1)
    alike = np.corrcoef(usual[:, 0], other[:, layer.std(axis=0) < spread[-OUTLIERS]][:, 0])[0, 1]
    assert 0.2 < alike < 0.95
    assert np.isfinite(layer.astype(np.float16)).all()
    assert len(states.answers("model", "IC")) == ids.size
    assert states.rows([4, 0]).tolist() == [2, 0]


def test_the_images_file_has_its_true_size_and_holes(tmp_path):
    layout = Layout(tmp_path)
    write_images(layout, {7: draw_crop(7, 1), 72_999: draw_crop(9, 1)})
    status = layout.stimuli_file.stat()
    assert status.st_size > 73_000 * 425 * 425 * 3
    assert status.st_blocks * 512 < 20e6
    with h5py.File(layout.stimuli_file) as file:
        bricks = file["imgBrick"]
        assert (bricks.shape, bricks.dtype, bricks.chunks) == ((73_000, 425, 425, 3), "u1", None)
        assert bricks[7].std() > 0
        assert bricks[8].max() == 0


def test_blocks_of_the_rehearsal_say_what_jobs_that_embed_do(tmp_path, monkeypatch):
    import rehearse

    from brainstruct.models import interface, manifest, opening

    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_text("weights")
    names = ["config.json", "model.safetensors"]
    checkpoint = manifest.describe_checkpoint(tmp_path, names, "owner/name", "1234")
    settings = opening.ModelSettings(
        family="instructblip", checkpoint="instructblip", n_layers=rehearse.N_LAYERS,
        random_seed=None, pooling="response_mean", max_new_tokens=20, sampling=None,
        dtype="auto", storage="float16",
    )  # fmt: skip
    opened = []
    real = rehearse.block_identity
    monkeypatch.setattr(
        rehearse, "block_identity", lambda *told: opened.append(told[0]) or real(*told)
    )
    said = rehearse.provenance_of(
        "m", settings, checkpoint, {"code": "c"}, "Say.", np.arange(3), width=8
    )
    assert (said["prompt"], said["image_backend"], said["feature_dim"]) == ("Say.", "pil", 8)
    assert said["checkpoint"]["digest"] == checkpoint.digest
    body = SimpleNamespace(config=SimpleNamespace(num_hidden_layers=1, hidden_size=8))

    class Real(interface.FeatureModel):
        load = prepare = forward = None

    model = Real(opened[0].options, network=None, body=body)
    assert all(hasattr(model, name) for name in vars(opened[0]))


@pytest.fixture
def done(tmp_path):
    """Two fits that are done, with their plan and ledger; the second held too much, too long."""
    jobs = [
        Job("fit", outputs=(f"{tmp_path}/fits/{name}.nc",), wildcards={"model": name},
            memory_mb=1000, minutes=1, threads=2)
        for name in "ab"
    ]  # fmt: skip
    ledger = Ledger(tmp_path)
    ledger.append(
        Entry("fit", {}, {}, (), {f"fits/{name}.nc": Made(1, 1, "", "")}, seconds, mb, 1.0, cpu)
        for name, seconds, mb, cpu in (("a", 30.0, 900, 28.0), ("b", 90.0, 1100, 52.0))
    )
    stage = Stage(
        rule="fit", jobs=2, to_do=2, measured=0, arithmetic=True, gpu_hours=0, core_hours=60 / 3600,
        gpu_hours_to_do=0, core_hours_to_do=0, peak_memory_mb=700, asked_memory_mb=1000,
    )  # fmt: skip
    plan = Plan(study="s", stages=[stage], folders=[], volumes=[], warnings=[])
    return jobs, ledger, plan, str(tmp_path)


def test_a_row_sums_up_a_rule_and_requests_are_held_against_it(done):
    (row,), exceeded = compare(*done)
    assert (row.jobs, row.took.cpu, row.took.wall, row.longest) == (2, 80.0, 120.0, 90.0)
    assert (row.took.peak_mb, row.asked_mb, row.asked_minutes) == (
        pytest.approx(1153.4, abs=0.1),
        1000,
        1,
    )
    assert row.ratio == pytest.approx(60 / 80)
    assert exceeded == [
        "fit b held 1,153 MB, asked for 1,000",
        "fit b took 1.5 min, asked for 1",
    ]


def test_the_table_goes_between_its_marks(done, tmp_path):
    rows, _ = compare(*done)
    file = tmp_path / "cost.md"
    file.write_text("before\n<!-- rehearsal full -->\nold\n<!-- end of rehearsal full -->\nafter\n")
    tables = shown(rows, {}, [["folder"], ["fits"]])
    document(file, Size(), Size().about(15_718), tables)
    text = file.read_text()
    assert text.startswith(
        "before\n<!-- rehearsal full -->\n10,000 images, 40 sessions, 15,718 voxels"
    )
    assert tables in text
    assert '`make rehearsal ARGS="--write docs/cost.md"`' in text
    assert str(tmp_path) not in text
    assert text.endswith("<!-- end of rehearsal full -->\nafter\n")
    assert "\nold\n" not in text


def measured(name: str) -> dict[str, list[str]]:
    """Return the rows of a table of docs/cost.md, by stage."""
    text = (Path(__file__).parents[2] / "docs/cost.md").read_text(encoding="utf-8")
    table = text.split(f"<!-- rehearsal {name} -->")[1].split("<!-- end")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    return {row[0]: row[1:] for row in rows if len(row) == len(HEAD) and row[0] != HEAD[0]}


@pytest.mark.parametrize("name", ["full", "other"])
def test_the_plan_says_what_stages_took_and_held(tmp_path, monkeypatch, name):
    from rehearse import Rehearsal, write_checkpoints

    size = NAMED[name]
    rehearsal = Rehearsal(tmp_path, size, cores=1, threads=1)
    study = rehearsal.study()
    write_checkpoints(study, size.width)
    monkeypatch.setattr(Amounts, "voxels", lambda self, subject: size.n_voxels)
    monkeypatch.setattr(Amounts, "split", lambda self, subject: (size.own, size.shared))
    jobs = rehearsal.jobs("all")
    compared = 0
    for stage in make_plan(study, jobs, jobs).stages:
        row = measured(name).get(stage.rule)
        if stage.rule in FOUND or row is None:
            continue
        took, held, told = (float(row[HEAD.index(column) - 1]) for column in
                                  ("CPU s", "peak GB", "planned GB"))  # fmt: skip
        seconds, gigabytes = stage.core_hours * 3600, stage.peak_memory_mb / 1e3
        # Here no file of the data set is there whose bytes would count.
        assert told == pytest.approx(gigabytes, rel=0.25), f"{stage.rule}: the document is old"
        if took > LONG:
            assert 0.9 < seconds / took < 1.35, stage.rule
            compared += 1
        if held > 0.4:
            assert 0.9 < gigabytes / held < 1.5, stage.rule
            compared += 1
    assert compared >= 10


@pytest.mark.study
@pytest.mark.skipif(
    "BRAINSTRUCT_REHEARSAL_FULL" not in os.environ, reason="minutes: make test-full"
)
def test_a_tiny_rehearsal_ends_well(tmp_path):
    tool = Path(__file__).with_name("rehearse.py")
    scale = "images=0.05,voxels=0.05,width=256"
    ran = subprocess.run(
        [sys.executable, tool, "--folder", tmp_path, "--scale", scale],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-4000:]
    assert "partition_variance" in ran.stdout
    assert (tmp_path / "results/report.html").is_file()
    logs = (tmp_path / "results/logs/embed").rglob("*.log")
    assert all("found in" in log.read_text() for log in logs), "blocks are those of the store"
