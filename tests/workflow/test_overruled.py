"""Settings of a profile that take away what rules ask for are said when a run starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from parsing import parse
from snakemake_executor_plugin_slurm.partitions import Partition, PartitionLimits

from brainstruct.workflow.overruled import overruled

SNAKEFILE = """
from brainstruct.workflow.overruled import overruled

onstart:
    print("\\n".join(overruled(workflow)))

rule all:
    default_target: True
    input: "embedded", "fitted"

rule embed:
    output: "embedded"
    threads: 2
    resources: mem_mb=48000, runtime=240, gpu=1
    shell: "touch {output}"

rule fit:
    output: "fitted"
    threads: 2
    resources: mem_mb=16000, runtime=480, gpu=0
    shell: "touch {output}"
"""


def said(folder: Path, *options: str) -> list[str]:
    """Run a workflow with options, and return what is said of them."""
    (folder / "Snakefile").write_text(SNAKEFILE)
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all", *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "workflow_scripts")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [line for line in done.stdout.splitlines() if line]


def test_a_profile_that_takes_nothing_away_is_not_spoken_of(tmp_path):
    options = ["--default-resources", "mem_mb=2000", "runtime=30", "cpus_per_gpu=4"]
    assert said(tmp_path, *options, "--set-resources", "embed:mem_mb=64000") == []


def test_each_setting_that_annuls_a_request_is_one_line(tmp_path):
    lines = said(
        tmp_path,
        *("--default-resources", "mem_mb_per_cpu=4000", "mem_mb=100*attempt", "cpus_per_task=1"),
        *("--set-resources", "embd:mem_mb=9", "embed:gpu=0"),
        *("--set-threads", "fitt=2"),
    )
    assert lines == [
        "set-resources: this study has no rule embd. Did you mean 'embed'?",
        "set-threads: this study has no rule fitt. Did you mean 'fit'?",
        "default-resources, mem_mb: attempt is always 1. A job that lacked memory or time is sent "
        "again with twice as much, any other with the same.",
        "gpu is 0 and no gres asks for one: embed gets no GPU.",
        "mem_mb_per_cpu is asked for in place of mem_mb: embed gets 4000 MB, not 48000; fit gets "
        "4000 MB, not 16000.",
        "cpus_per_task is asked for in place of threads: embed gets 1, not 2; fit gets 1, not 2.",
    ]


def test_gpus_by_gres_alone_are_a_request_too(tmp_path):
    options = ["--default-resources", "mem_mb=2000"]
    by_gres = ("--set-resources", "embed:gpu=0", "embed:gres='gpu:1'")
    assert said(tmp_path, *options, *by_gres) == []
    (line,) = said(tmp_path, "--forceall", *options, "--set-resources", "embed:gres='gpu:1'")
    assert line.startswith("gpu and gres are both set, which the executor plugin refuses")


def workflow_of(**resources):
    """Stand in for a workflow with one job."""
    rule = SimpleNamespace(
        name="embed", resources={}, ruleinfo=SimpleNamespace(resources=((), {"gpu": 1}))
    )
    job = SimpleNamespace(
        rule=rule, output=["x"], threads=4,
        resources={"mem_mb": 48000, "runtime": 240, "gpu": 1} | resources,
    )  # fmt: skip
    settings = SimpleNamespace(
        overwrite_resources={}, overwrite_threads={},
        _parsed_default_resources={}, _parsed_overwrite_resources={},
    )  # fmt: skip
    return SimpleNamespace(
        dag=SimpleNamespace(needrun_jobs=lambda exclude_finished: [job]),
        rules=[rule],
        _localrules=set(),
        resource_settings=settings,
        group_settings=None,
    )


@pytest.mark.parametrize(
    ("limits", "resources", "met"),
    [
        ({"max_gpu": 1, "max_mem_mb": 64000}, {}, True),
        ({"max_gpu": 1, "max_mem_mb": 32000}, {}, False),
        ({"max_gpu": 1, "max_runtime": "3h"}, {}, False),
        ({"max_mem_mb": 64000}, {}, False),  # it has no GPU
        ({"max_gpu": 1}, {"slurm_partition": "other"}, True),  # nothing is known of that
    ],
)
def test_requests_that_no_partition_meets_are_named(limits, resources, met):
    partitions = [Partition("gpu", PartitionLimits(**limits))]
    lines = overruled(workflow_of(**resources), partitions)
    expected = (
        "no partition of the partitions file gives what is asked for: "
        "embed (48000 MB, 240 minutes, 4 threads, 1 GPU)."
    )
    assert lines == ([] if met else [expected])


def test_numbers_in_blocks_on_the_command_line_reach_rules():
    rules = {rule.name: rule for rule in parse(told=["encoding={gpus: 1, threads: 3}"])}
    fit = next(rule for name, rule in rules.items() if name.startswith("fit_ridge"))
    assert (fit.resources["gpu"], fit.resources["_cores"]) == (1, 3)
    assert fit.workflow.config["encoding"]["gpus"] == 1
