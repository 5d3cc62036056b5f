"""What a script imports is in the environment that its rule asks for, and its code is known."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata

import pytest
from parsing import recorded, script_of

from brainstruct.doctor.environment import module_of
from brainstruct.models.builders import BUILDERS
from brainstruct.models.registry import FAMILIES
from brainstruct.planning.costs import _TORCH
from brainstruct.workflow.identity import stage_identity
from rooms import ROOMS, SCRIPTS, packages, packages_of, room_of, rules

WITHOUT_CODE = {"check_data", "fetch_checkpoint"}
"""Their outputs say what is on disk, which their code does not change."""


def closure(room):
    """The modules of a room's packages and of all that they bring along."""
    found, waiting = set(), [re.sub(r"\[.*", "", name) for name in ROOMS[room]]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        waiting += [re.match(r"[\w.-]+", one)[0] for one in needed if "extra ==" not in one]
    return {module_of(name) for name in found}


@pytest.mark.parametrize(
    ("script", "room"),
    sorted({(script_of(rule), room_of(rule)) for rule in rules().values()}),
)
def test_a_script_imports_what_its_room_has(script, room):
    there = closure(room)
    assert {name: path for name, path in packages(script).items() if name not in there} == {}


@pytest.mark.parametrize(
    ("room", "part"), [("doctor", "doctor"), ("doctor", "reader"), ("plan", "reader")]
)
def test_who_asks_has_what_the_data_set_s_parts_import_once_they_are_asked(room, part):
    there = closure(room)
    imported = packages_of([f"brainstruct.datasets.nsd.{part}"])
    assert {name: path for name, path in imported.items() if name not in there} == {}


def test_a_change_of_any_script_is_noticed():
    unnoticed = {
        name
        for name, rule in rules().items()
        if list(rule.output) and "code" not in dict(rule.params.items())
    }
    assert unnoticed == WITHOUT_CODE


@pytest.mark.parametrize(
    ("name", "stage", "module"),
    [
        ("build_tiny_checkpoint_clip", "build_tiny_checkpoint", BUILDERS["clip"]),
        ("plant_features_instructblip", "plant_features", FAMILIES["instructblip"].module),
    ],
)
def test_a_module_that_a_script_imports_by_name_is_part_of_its_code(name, stage, module):
    """The script does not say which; its rule must."""
    code = recorded(rules()[name])["params.code"]
    assert code.split()[0] == stage_identity(stage, module) != stage_identity(stage)


def scripts_with(*names):
    scripts = {script_of(rule) for rule in rules().values()}
    return {script for script in scripts if not packages(script).keys().isdisjoint(names)}


def test_the_plan_knows_whose_start_is_that_of_torch():
    by_name = {"build_tiny_checkpoint"}  # its builder, which it imports by name
    assert scripts_with("torch") | by_name == _TORCH


def test_a_job_that_makes_a_table_starts_without_what_takes_longer_than_a_table():
    slow = ("torch", "transformers", "sklearn", "scipy.stats", "matplotlib", "nibabel", "h5py")
    light = "list_block index_stimuli join_tables collect_scores assess_scores compare find_winners"
    light += " tabulate_rois tabulate_comparisons tabulate_partition tabulate_responses"
    light += " find_best_models find_concepts estimate_ceiling average_subjects compare_with_paper"
    probe = (
        "import importlib, json, sys\n"
        "loaded = {}\n"
        f"for script in {light.split()}:\n"
        "    importlib.import_module(script)\n"
        f"    loaded[script] = [name for name in {slow} if name in sys.modules]\n"
        "print(json.dumps(loaded))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert {script: names for script, names in json.loads(done.stdout).items() if names} == {}
