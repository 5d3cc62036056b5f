"""What a script imports is in the environment that its rule asks for, and its code is known."""

from __future__ import annotations

import re
from importlib import metadata

import pytest

from brainstruct.doctor.environment import module_of
from rooms import ROOMS, packages, rules

WITHOUT_CODE = {"check_nsd", "fetch_checkpoint"}
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
    sorted({(script, re.search(r"envs/(\w+)\.yaml", text)[1]) for script, text in rules()}),
)
def test_a_script_imports_what_its_room_has(script, room):
    there = closure(room)
    assert {name: path for name, path in packages(script).items() if name not in there} == {}


def test_a_change_of_any_script_is_noticed():
    unnoticed = {
        script
        for script, text in rules()
        if re.search(r"^ +output:$", text, re.MULTILINE)
        and not re.search(r"stage_identity\(|choose\.(embed|model)_code", text)
    }
    assert unnoticed == WITHOUT_CODE


def test_a_module_that_a_script_imports_by_name_is_part_of_its_code():
    """The script does not say which; its rule must."""
    text = dict(rules())
    assert 'stage_identity("build_tiny_checkpoint", choose.' in text["build_tiny_checkpoint"]
    assert 'choose.model_code("plant_features", ' in text["plant_features"]
    assert "choose.embed_code" in text["embed"]
