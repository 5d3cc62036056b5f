"""Locks are exact, whole, of the pinned versions, and name no place."""

from __future__ import annotations

import re
import sys

import pytest
from checkout import REPOSITORY

from rooms import ROOMS

sys.path.insert(0, str(REPOSITORY / "envs"))

import write_envs
from write_locks import brought_along, lock_text

LINE = re.compile(r"[a-z0-9][a-z0-9-]*==[0-9][\w.]* --hash=sha256:[0-9a-f]{64}")
NAMES = ["requirements", *ROOMS]


def lock(name):
    return write_envs.read_lock(write_envs.LOCKS / f"{name}.txt")


@pytest.mark.parametrize("name", NAMES)
def test_every_line_of_a_lock_is_exact(name):
    lines = (write_envs.LOCKS / f"{name}.txt").read_text().splitlines()
    wrong = [line for line in lines if not line.startswith("# ") and not LINE.fullmatch(line)]
    assert wrong == []
    assert len(lock(name)) == len([line for line in lines if line[0] != "#"]), "a name twice"


def test_rooms_are_parts_of_one_resolution():
    whole = lock("requirements").items()
    for room in ROOMS:
        assert lock(room).items() <= whole
    assert set(lock("requirements")) == {name for room in ROOMS for name in lock(room)}


def test_an_environment_names_all_of_its_lock_but_companions_of_cuda():
    for room in ROOMS:
        text = (REPOSITORY / f"envs/{room}.yaml").read_text()
        named = {
            write_envs.normalised(name): version
            for name, version in re.findall(r"- ([\w.\[\]-]+)==(\S+)", text)
        }
        assert named == write_envs.read_lock(write_envs.LOCKS / f"{room}.txt", cuda=False)
        assert not [name for name in named if name.startswith(("nvidia-", "cuda-"))]


def test_a_lock_of_another_pin_is_noticed():
    pins = {
        "versions": {"numpy": lock("data")["numpy"], "moto[server]": "0.1"},
        "rooms": {"data": ["numpy"], "tools": ["moto[server]"]},
    }
    assert write_envs.outdated_locks(pins) == ["tools", "requirements"]


def entry(name, version, *requires):
    return {
        "metadata": {"name": name, "version": version, "requires_dist": list(requires)},
        "download_info": {"archive_info": {"hashes": {"sha256": name[0].lower() * 64}}},
    }


RESOLVED = {
    "torch": entry("torch", "2.0", "sympy", 'cuda-toolkit[x]==1; platform_system == "Linux"'),
    "sympy": entry("sympy", "1.0"),
    "cuda-toolkit": entry("cuda-toolkit", "1", 'nvidia-x; extra == "x"', 'y; extra == "y"'),
    "nvidia-x": entry("Nvidia_X", "3"),
    "moto": entry("moto", "5", "six", 'flask; extra == "server"', 'z; python_version < "3"'),
    "six": entry("six", "1"),
    "flask": entry("Flask", "3"),
}


def test_what_a_package_brings_along_follows_extras_and_markers():
    assert brought_along(["moto"], RESOLVED) == {"moto", "six"}
    assert brought_along(["moto[server]"], RESOLVED) == {"moto", "six", "flask"}
    assert brought_along(["torch"], RESOLVED) == {"torch", "sympy", "cuda-toolkit", "nvidia-x"}
    assert brought_along(["torch"], RESOLVED, cuda=False) == {"torch", "sympy"}


def test_what_comes_with_cuda_stands_last():
    text = lock_text("encode", ["torch", "six"], RESOLVED, "3.11")
    first, last = text.split(write_envs.CUDA)
    assert re.findall(r"^(\S+)==", first, re.MULTILINE) == ["six", "sympy"]
    assert re.findall(r"^(\S+)==", last, re.MULTILINE) == ["cuda-toolkit", "nvidia-x", "torch"]
    assert "nvidia-x==3 --hash=sha256:" + "n" * 64 in last
