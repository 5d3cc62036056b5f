"""Jobs that fail are sent again with what they lacked, or not at all."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from math import inf
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.resources import Resources
from snakemake_executor_plugin_slurm.partitions import read_partition_file

from brainstruct.store.marks import Mark
from brainstruct.workflow import requests
from brainstruct.workflow.requests import Next, more_of, next_of

HERE = Path(__file__).parent
LIBRARY = HERE.parents[1] / "workflow_scripts"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A run of all of them at once, with two retries."""
    folder = tmp_path_factory.mktemp("requests")
    shutil.copy(HERE / "requested.smk", folder / "Snakefile")
    shutil.copy(HERE / "fails.py", folder)
    ways = "refused,killed,cancelled,input,defect,good"
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--retries", "2", "--keep-going"]
    ran = subprocess.run(
        [*command, "--config", f"ways={ways}"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(LIBRARY)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return folder, ran.stderr


@pytest.mark.parametrize(
    ("way", "asked"),
    [
        ("refused", [100, 200, 400]),
        ("killed", [100, 200]),
        ("cancelled", [100, 100]),
        ("input", [100]),
        ("defect", [100, 100, 100]),
        ("good", [100]),
    ],
)
def test_a_job_asks_for_more_of_what_it_lacked_and_of_nothing_else(done, way, asked):
    folder, text = done
    given = [int(line) for line in (folder / f"{way}.asked").read_text().split()]
    assert given == asked, text
    assert (folder / f"results/{way}.txt").exists() == (way not in ("input", "defect"))


def test_a_run_says_what_it_makes_of_a_failure(done):
    text = done[1]
    assert "fails refused ran out of memory (100 MB). It is tried again with 200." in text
    assert "fails input is not tried again: it would fail again: its log says" in text
    assert text.count("ran out of memory") == 3


def test_a_run_ends_with_what_failed_what_is_done_and_how_to_go_on(done):
    """After Snakemake's own words, which are the last but for one line."""
    text = done[1]
    said = text[text.index("\n2 jobs failed:\n") :].splitlines()
    assert said[2].startswith("  fails defect: ZeroDivisionError: here (a defect")
    assert said[3] == "  fails input: volume.nii.gz: has no voxels. Give it some. (logs/input.log)"
    assert said[4] == "Done: 4 of 6 jobs."
    ways = ("cancelled", "good", "killed", "refused")
    assert [line.split() for line in said[5:9]] == [[f"results/{way}.txt", "1"] for way in ways]
    typed = "--cores 2 --retries 2 --keep-going --config ways=refused,"
    assert said[9].startswith(f"To go on:  .venv/bin/snakemake {typed}")
    assert text.count("has no voxels") == 2, "as the job says it, and at the end"
    rest = [line for line in said[10:] if line.strip()]
    assert len(rest) < 6, rest


def test_no_mark_is_left_of_jobs_that_ended(done):
    assert list((done[0] / "results/ledger/marks").glob("*")) == []


@pytest.mark.parametrize(
    ("given", "executor", "bound"),
    [
        (["gpu=2"], "local", 5000),
        (["gpu=2", "mem_mb=700"], "local", 700),
        (["gpu=2", "mem=700MB"], "local", 700),
        ([], "local", None),
        (["gpu=2"], "slurm", None),  # its nodes are not this one
    ],
)
def test_memory_is_bounded_where_gpus_are(monkeypatch, given, executor, bound):
    monkeypatch.setattr(requests, "machine_mb", lambda: 5000)
    bounds = Resources.parser_factory()(given)
    plugin = SimpleNamespace(name=executor)
    rules = [
        SimpleNamespace(script=script, priority=before)
        for script, before in (("../embed.py", 0), ("../fit_ridge.py", 0), (None, -1))
    ]
    workflow = SimpleNamespace(global_resources=bounds, executor_plugin=plugin, rules=rules)
    requests.share_machine(workflow)
    assert (bounds["mem_mb"].value if "mem_mb" in bounds else None) == bound
    local = bool(given) and executor == "local"
    assert [rule.priority for rule in rules] == [int(local), 0, -1]


def test_jobs_on_one_machine_ask_for_no_more_than_it_has(fresh):
    """What a job asks for is cut to what there is: it runs, alone."""
    arguments = ("-n", "--configfile", "config/demo.yaml")
    asked = re.findall(r"mem_mb=(\d+)", fresh.run(*arguments, "--resources", "gpu=1").text)
    assert max(map(int, asked)) == min(48_000, requests.machine_mb())
    asked = re.findall(r"mem_mb=(\d+)", fresh.run(*arguments).text)
    assert max(map(int, asked)) == 48_000


STARTED = 1_000_000.0


@pytest.mark.parametrize(
    ("ending", "lasted", "seen", "expected"),
    [
        ("", 0, 599, Next("mem_mb")),  # killed before its time
        ("", 0, 605, Next("runtime")),
        ("signal", 600, 700, Next("runtime")),
        ("signal", 40, 700, Next()),  # cancelled, and seen late
        ("memory", 700, 700, Next("mem_mb")),
        ("error", 700, 700, Next()),
    ],
)
def test_a_mark_tells_what_was_lacking(ending, lasted, seen, expected):
    mark = Mark(STARTED, STARTED + lasted if lasted else 0.0, ending)
    if ending == "" and seen == 599:
        seen = 580  # nearly all of it counts as all
    assert next_of(mark, 10, STARTED + seen) == expected


def test_a_job_that_never_began_lacked_nothing():
    assert next_of(None, 10, STARTED) == Next()


def test_without_a_limit_of_time_a_killed_job_lacked_memory():
    assert next_of(Mark(STARTED), None, STARTED + 1e6) == Next("mem_mb")


def test_bad_input_is_the_end():
    assert next_of(Mark(STARTED, STARTED + 1, "input"), 10, STARTED + 2).ends


def job(**resources):
    return SimpleNamespace(threads=4, resources={"mem_mb": 48000, "runtime": 240} | resources)


@pytest.fixture
def partitions(tmp_path):
    path = tmp_path / "partitions.yaml"
    path.write_text(
        "partitions:\n"
        "  gpu: {max_runtime: 6h, max_mem_mb: 64000, max_threads: 32, max_gpu: 2}\n"
        "  cpu: {max_runtime: 48h, max_mem_mb: 256000, max_threads: 64}\n"
        "  tiny: {max_runtime: 10m, max_mem_mb: 9000000, max_threads: 64}\n"
        "  open: {max_threads: 2}\n"
    )
    return read_partition_file(path)


@pytest.mark.parametrize(
    ("name", "resources", "expected"),
    [
        ("mem_mb", {}, 96000),
        ("mem_mb", {"gpu": 1}, 64000),
        ("mem_mb", {"gres": "gpu:1"}, 64000),
        ("mem_mb", {"gpu": 1, "mem_mb": 64000}, 64000),  # all there is
        ("mem_mb", {"mem_mb": 200000}, 256000),
        ("runtime", {"gpu": 1}, 360),
        ("runtime", {}, 480),
        ("runtime", {"runtime": 2000}, 2880),
        ("mem_mb", {"slurm_partition": "gpu"}, 64000),
        ("mem_mb", {"slurm_partition": "another", "mem_mb": 300000}, 600000),
    ],
)
def test_no_request_grows_beyond_the_partitions(partitions, name, resources, expected):
    assert more_of(name, job(**resources), partitions) == expected


def test_without_a_partitions_file_it_doubles():
    assert more_of("mem_mb", job(), []) == 96000


def test_a_partition_without_a_limit_has_none(partitions):
    (unlimited,) = (one for one in partitions if one.name == "open")
    assert unlimited.limits.max_mem_mb == inf
    small = SimpleNamespace(threads=1, resources={"mem_mb": 10**8, "runtime": 9})
    assert more_of("mem_mb", small, [unlimited]) == 2 * 10**8
