"""An embed job that is killed again and again ends with what an undisturbed one has."""

from __future__ import annotations

import json
import multiprocessing
import re
import shutil
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from brainstruct.models import tiny
from brainstruct.models.manifest import describe_checkpoint, files_in
from brainstruct.store import arrays, tables
from fake_job import fake_job

N_IMAGES, PER_SHARD, KILLS = 36, 3, 10
INSTRUCTIONS = {"IC": "What is in this image?", "SR": "Describe it."}
N_NSD = 73000
STIMULI = "nsd/nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5"
MODEL_MODULE = "brainstruct.models.instructblip"


def make_job(study: Path, name: str) -> SimpleNamespace:
    """Return what Snakemake would give the script, in a folder of its own."""
    own = study / name
    return fake_job(
        "embed",
        own / "embed.log",
        input={
            "manifest": str(study / "manifest.json"),
            "block": str(study / "block.tsv"),
            "stimuli": [str(study / STIMULI)],
        },
        output={"embeddings": [str(own / f"{key}.nc") for key in INSTRUCTIONS]},
        wildcards={"model": "instructblip", "block": "shared-000"},
        config={
            "embeddings_store": None,
            "embedding": {"device": "cpu", "batch_size": 2, "images_per_shard": PER_SHARD},
        },
        params={
            "model_settings": {
                "family": "instructblip",
                "checkpoint": "instructblip",
                "n_layers": 5,
                "random_seed": None,
                "pooling": "response_mean",
                "max_new_tokens": 6,
                "sampling": {"seed": 3, "temperature": 0.9, "top_k": None, "top_p": 1.0},
                "dtype": "auto",
                "storage": "float16",
            },
            "layers": list(range(5)),
            "texts": INSTRUCTIONS,
            "dataset": {"dataset": "nsd", "nsd_root": str(study / "nsd")},
            "work": str(own / "work"),
            "stamps": str(study / "manifest.stamps.json"),
            "folder": json.loads((study / "manifest.json").read_text())["folder"],
            "code": "abc",
        },
    )


def run(study: Path, name: str) -> None:
    """Be the job: the rule's script, in this process."""
    import embed
    from brainstruct.jobs.run import run_job

    run_job(embed.embed, make_job(study, name))


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    tiny.build("instructblip", folder / "checkpoint", seed=1, n_blocks=4)
    place = folder / "checkpoint"
    manifest = asdict(describe_checkpoint(place, files_in(place), "s", "r"))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    rng = np.random.default_rng(0)
    ids = np.sort(rng.choice(N_NSD, N_IMAGES, replace=False))
    stimuli = folder / STIMULI
    stimuli.parent.mkdir(parents=True)
    with h5py.File(stimuli, "w") as file:
        images = file.create_dataset(
            "imgBrick", (N_NSD, 32, 32, 3), dtype="uint8", chunks=(1, 32, 32, 3)
        )
        for place in ids:
            images[place] = rng.integers(0, 256, (32, 32, 3))
    table = pd.DataFrame({"nsd_id": rng.permutation(ids), "coco_id": ids, "coco_split": "val2017"})
    tables.write_table(table, folder / "block.tsv")
    return folder


@pytest.fixture(scope="module")
def start(study):
    """Start a job in a process of its own; the libraries are imported once, for all of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["transformers.generation", MODEL_MODULE, "embed"])

    def begin(name: str) -> multiprocessing.Process:
        process = context.Process(target=run, args=(study, name))
        process.start()
        return process

    # The server imports before it is told where from.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(tiny.__file__).parents[3]))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield begin


def finished(work: Path) -> dict[str, int]:
    """Shards that count as finished, and when each was written."""
    records = work.glob("*/shard-*.json")
    return {f"{path.parent.name}/{path.stem}": path.stat().st_mtime_ns for path in records}


def shards_computed(log: str) -> list[tuple[str, int]]:
    """Instruction and number of every shard that a log says was finished."""
    lines = re.findall(r"finished shard (\d+) of \d+ of (\w+)", log)
    return [(instruction, int(number)) for number, instruction in lines]


def test_a_job_killed_ten_times(study, start):
    undisturbed = start("undisturbed")
    undisturbed.join()
    assert undisturbed.exitcode == 0
    log = (study / "undisturbed" / "embed.log").read_text()
    whole = float(re.search(r"wrote .* in ([\d.]+) s", log).group(1))
    n_shards = len(INSTRUCTIONS) * N_IMAGES // PER_SHARD
    assert len(set(shards_computed(log))) == n_shards

    rng = np.random.default_rng(11)
    outputs = [study / "killed" / f"{key}.nc" for key in INSTRUCTIONS]
    work = study / "killed" / "work"
    kills, kept, lengths = 0, {}, []
    while not all(path.exists() for path in outputs):
        process = start("killed")
        if kills < KILLS:
            # At random moments, from before the model is loaded to the middle of a shard;
            # every other time once it has got on, however busy the machine is.
            if kills % 2:
                before = len(finished(work))
                while process.is_alive() and len(finished(work)) <= before:
                    process.join(0.005)
            else:
                process.join(rng.uniform(0.0, 0.5) * whole)
            if process.is_alive():
                process.kill()
                kills += 1
        process.join()
        if process.exitcode != 0:
            # As Snakemake does, which trusts no output of a job that failed.
            for path in outputs:
                path.unlink(missing_ok=True)
            now = finished(work)
            # What was finished before this start was not written again.
            assert {name: now[name] for name in kept} == kept
            kept = now
            lengths.append(len(kept))
    assert process.exitcode == 0
    assert kills >= 5, f"the job was too fast to be killed: {kills} times"
    assert len(set(lengths)) > 2, "no kill fell into the work"

    for path in outputs:
        expected = arrays.read_dataset(study / "undisturbed" / path.name)
        resumed = arrays.read_dataset(path)
        xr.testing.assert_equal(resumed, expected)
        assert arrays.provenance(resumed) == arrays.provenance(expected)
    assert not finished(work)
    computed = shards_computed((study / "killed" / "embed.log").read_text())
    assert len(set(computed)) == len(computed), "a finished shard was computed again"
    # A kill may fall between a shard and its line.
    assert len(computed) >= n_shards - kills


def test_shards_of_other_stimuli_are_not_used(study, tmp_path, monkeypatch):
    import embed

    monkeypatch.setattr(embed, "discard_shards", lambda folder: None)
    shutil.copytree(study / "nsd", tmp_path / "nsd")
    for name in ("block.tsv", "manifest.json"):
        shutil.copy(study / name, tmp_path / name)
    log = tmp_path / "job" / "embed.log"
    n_shards = len(INSTRUCTIONS) * N_IMAGES // PER_SHARD
    run(tmp_path, "job")
    before = {key: arrays.read_dataset(tmp_path / "job" / f"{key}.nc") for key in INSTRUCTIONS}
    run(tmp_path, "job")
    assert len(shards_computed(log.read_text())) == n_shards
    with h5py.File(tmp_path / STIMULI, "r+") as file:
        for place in pd.read_csv(tmp_path / "block.tsv", sep="\t")["nsd_id"]:
            file["imgBrick"][place] = 255 - file["imgBrick"][place]
    run(tmp_path, "job")
    assert len(shards_computed(log.read_text())) == 2 * n_shards
    assert "is of another run (stimuli: " in log.read_text()
    for key, old in before.items():
        new = arrays.read_dataset(tmp_path / "job" / f"{key}.nc")
        assert not new["embedding"].equals(old["embedding"])
        assert arrays.provenance(new) == arrays.provenance(old)


def test_a_missing_checkpoint_is_one_clear_line(study, tmp_path):
    manifest = json.loads((study / "manifest.json").read_text())
    other = tmp_path / "study"
    other.mkdir()
    for name in ("block.tsv", "nsd"):
        (other / name).symlink_to(study / name)
    (other / "manifest.json").write_text(json.dumps({**manifest, "folder": str(other / "gone")}))
    with pytest.raises(SystemExit):
        run(other, "job")
    last = (other / "job" / "embed.log").read_text().splitlines()[-1]
    assert "ERROR" in last
    assert "gone: there is no such checkpoint folder" in last
    assert "snakemake --until fetch_checkpoint -R fetch_checkpoint" in last


def test_weights_that_were_replaced_are_not_embedded_as_the_old_ones(study, tmp_path):
    manifest = json.loads((study / "manifest.json").read_text())
    other, folder = tmp_path / "study", tmp_path / "checkpoint"
    other.mkdir()
    shutil.copytree(study / "checkpoint", folder)
    for name in ("block.tsv", "nsd"):
        (other / name).symlink_to(study / name)
    (other / "manifest.json").write_text(json.dumps({**manifest, "folder": str(folder)}))
    tiny.build("instructblip", folder, seed=2, n_blocks=4)
    with pytest.raises(SystemExit):
        run(other, "job")
    last = (other / "job" / "embed.log").read_text().splitlines()[-1]
    assert "model.safetensors: has changed since the weights were fetched" in last
    assert not list((other / "job").glob("*.nc"))
