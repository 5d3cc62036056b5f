"""Results that were moved, copied, discarded, shared or damaged know what they are."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from checkout import SMALL, Checkout
from test_reruns import (
    FITS,
    OF_SEVERAL_INSTRUCTIONS,
    after_embeddings,
    after_fits,
    after_predictions,
    append,
    dry,
    entry,
    folded,
    reconfigure,
    shows_changes,
)

from brainstruct.store.ledger import Ledger

pytestmark = pytest.mark.study

FULL = "BRAINSTRUCT_LEDGER_FULL" in os.environ


def met_elsewhere(finished, root, *more):
    """Let another clone meet the results elsewhere, under new times, and `more` of the study."""
    clone = Checkout.fresh(root / "clone")
    results = root / "elsewhere/mine"
    shutil.copytree(finished.root / "results/small", results, copy_function=shutil.copyfile)
    for folder in more:
        shutil.copytree(finished.root / folder, root / folder, copy_function=shutil.copyfile)
    text = (clone.root / "small.yaml").read_text()
    text = text.replace("results: results/small", f"results: {results}")
    if more:
        text = text.replace(" resources/small", f" {root}/resources/small")
    (clone.root / "small.yaml").write_text(text)
    return clone


@pytest.fixture(scope="module")
def moved(finished, tmp_path_factory):
    """The finished study, its data set and checkpoints, all of them elsewhere."""
    return met_elsewhere(finished, tmp_path_factory.mktemp("moved"), "resources/small")


@pytest.fixture
def changed(moved, tmp_path):
    return shows_changes(moved, tmp_path)


def test_moved_results_ask_for_nothing(finished, moved, tmp_path):
    for clone in (moved, met_elsewhere(finished, tmp_path)):  # the second without its data
        done = dry(clone)
        assert done.jobs == {}
        assert "missing provenance" not in done.text
        assert dry(clone).jobs == {}


CHANGES = [
    (lambda c: c["encoding"].update(folds=4), "encoding.folds was 3, is 4",
     {"fit_ridge": sum(FITS.values())} | after_fits(*FITS)),
    (lambda c: c.update(instruction_texts={"IC": {"text": "Say what you see."}}),
     "texts.IC was", after_embeddings(3) | {"fit_ridge": 3}
     | after_fits("instructblip", "mplug-owl", "idefics-random")),
    (lambda c: c["statistics"].update(n_draws=100), "statistics.n_draws was 200, is 100",
     after_predictions(*FITS)
     | {"partition_variance": 1, "tabulate_partition": 1, "draw_shared_variance": 1}),
    (lambda c: c["partition"].update(components=9),
     "partition_settings.components was 16, is 9",
     {"partition_variance": 1, "tabulate_partition": 1, "draw_shared_variance": 1,
      "compare_with_paper": 1}),
    (lambda c: entry(c, "clip-text").update(label="CLIP"), "was CLIP text, is CLIP", None),
    (lambda c: c["embedding"].update(max_new_tokens=5),
     "model_settings.max_new_tokens was 4, is 5", None),
    (lambda c: c.update(seed=7), "seed was 2505, is 7", None),
    (lambda c: c["flatmaps"].update(height=160), "height was 128, is 160", None),
    (lambda c: c.update(alignment={"ceiling_threshold": 0.1}),
     "ceiling_threshold was auto, is 0.1", None),
    (lambda c: c["embedding"].update(batch_size=3, keep=False), "", {}),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CHANGES)) if FULL else (0, 1, 3))
def test_a_change_redoes_the_minimum_and_says_why(changed, number):
    change, why, expected = CHANGES[number]
    done = changed(change)
    assert why in done.text
    if expected is not None:
        assert folded(done.jobs) == expected
    if number == 5:  # models that follow no instructions answer nothing
        assert all("/clip-text/" not in name for name in done.outputs("embed"))


@pytest.mark.skipif(not FULL, reason="make test-full")
def test_touching_accepts_nothing_in_silence(edited):
    edited.run("--touch", "--forceall", *SMALL)
    assert dry(edited).jobs == {}
    reconfigure(edited, lambda config: config.update(seed=7))
    edited.run("--touch", "--forceall", *SMALL)
    done = dry(edited)
    assert "seed was 2505, is 7" in done.text
    assert folded(done.jobs)["fit_ridge"] == sum(FITS.values())


def test_a_lost_ledger_costs_a_look_and_comes_back(edited):
    folder = edited.root / "results/small/ledger"
    before = Ledger(folder.parent)
    shutil.rmtree(folder)
    (edited.root / "results/small/figures/roi_bars.svg").unlink()
    assert dry(edited).jobs == {"draw_roi_bars": 1, "all": 1}
    edited.run(*SMALL)
    after = Ledger(folder.parent)
    kept = {name for name in before.entries if not name.startswith("<")}
    assert kept <= after.entries.keys()
    for name in kept - {"figures/roi_bars.png", "figures/roi_bars.svg", "figures/roi_bars.tsv"}:
        assert after.entries[name].params == before.entries[name].params
        assert after.entries[name].made[name] == before.entries[name].made[name]


def test_discarded_embeddings_are_asked_for_by_who_needs_them_alone(edited):
    done = edited.run("discard_embeddings", *SMALL)
    assert "10 files deleted" in done.text
    assert not list((edited.root / "results/small/embeddings").rglob("*.nc"))
    assert dry(edited).jobs == {}
    # A figure that is added runs one job; a layer embeds once more, and says so.
    figure = edited.root / "results/small/figures/shared_variance/instructblip.svg"
    figure.unlink()
    assert dry(edited).jobs == {"draw_shared_variance": 1, "all": 1}
    reconfigure(edited, lambda config: entry(config, "mplug-owl").update(layers=[2, 3]))
    done = dry(edited)
    jobs = folded(done.jobs)
    assert (jobs["embed"], jobs["fit_ridge"]) == (2, 1)
    assert not set(jobs) & {"tabulate_responses", *OF_SEVERAL_INSTRUCTIONS} - {
        "draw_shared_variance"
    }
    assert "Embedded again, having been discarded: 2 files" in done.text
    if FULL:
        edited.run(*SMALL)
        assert dry(edited).jobs == {}


def test_damaged_tables_are_named_by_the_next_job_and_by_the_report(edited):
    table = edited.root / "results/small/tables/rois/subj01/clip-text.tsv"
    status = table.stat()
    text = table.read_text()
    where = max(index for index, letter in enumerate(text) if letter.isdigit())
    table.write_text(text[:where] + str((int(text[where]) + 1) % 10) + text[where + 1 :])
    os.utime(table, ns=(status.st_atime_ns, status.st_mtime_ns))
    (edited.root / "results/small/tables/alignment.tsv").unlink()
    done = edited.snakemake("results/small/tables/alignment.tsv", *SMALL)
    assert done.status != 0
    said = "results/small/tables/rois/subj01/clip-text.tsv: is not what was written there"
    assert said in done.text
    assert "snakemake results/small/tables/rois/subj01/clip-text.tsv" in done.text
    report = edited.snakemake(*SMALL, "--report", "report.html")
    assert report.status != 0
    assert said in report.text


def test_two_studies_over_one_store_embed_each_block_once(edited):
    (edited.root / "shared").mkdir()
    names = ("first", "second")
    for name in names:
        config = yaml.safe_load((edited.root / "small.yaml").read_text())
        config |= {"results": f"results/{name}", "embeddings_store": str(edited.root / "shared")}
        config["embedding"]["batch_size"] = 16 if name == "first" else 32
        (edited.root / f"{name}.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    def run(name):
        target = f"results/{name}/embeddings/clip-text/none/shared-000.nc"
        command = (target, "--configfile", f"{name}.yaml", "--nolock")
        return edited.snakemake(*command)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, names))
    assert [one.status for one in done] == [0, 0], "".join(one.text[-2000:] for one in done)
    blocks = [
        edited.root / f"results/{name}/embeddings/clip-text/none/shared-000.nc" for name in names
    ]
    assert blocks[0].resolve() == blocks[1].resolve()
    assert sum(one.text.count("found in") for one in done) == 1
    assert len(list((edited.root / "shared").rglob("*.nc"))) == 1
    pack = (sys.executable, "-m", "brainstruct.planning.sharing")
    path = {"PYTHONPATH": str(edited.root / "workflow_scripts")}
    packed = edited.command(
        *pack, "pack", "clip-text", "a.tar", "--configfile", "first.yaml", **path
    )
    # The other block of this model is in no store.
    assert packed.status == 1
    assert "is in no store of embeddings" in packed.text


def test_a_stage_s_code_may_move(edited):
    append(edited.root / "workflow_scripts/brainstruct/encoding/cross_subject.py")
    assert dry(edited).jobs == {}
