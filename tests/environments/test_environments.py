"""Each room's environment, empty but for what its file names, runs the rules of the room.

Snakemake makes the environments and runs the rules itself (``--sdm conda``), from an
environment with nothing but the controller's packages. Usually one room is tried; all
of them, with the whole small study, with BRAINSTRUCT_ENVIRONMENTS=all (``make
environments``).
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rooms import ROOMS, modules_of_room

pytestmark = pytest.mark.study

large = pytest.mark.skipif(
    os.environ.get("BRAINSTRUCT_ENVIRONMENTS") != "all", reason="make environments does this"
)


def assert_complete(python, modules=()):
    """An environment's packages get along, and modules can be imported from it."""
    command = [sys.executable, "-m", "pip", "--python", python, "check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    # Isolated: neither this folder nor another environment's packages can help out.
    imports = "; ".join(f"import {name}" for name in sorted(modules))
    done = subprocess.run([python, "-I", "-c", imports], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_rule_runs_in_its_room(deployed):
    done = deployed.snakemake("results/small/stimuli/subj01.tsv")
    assert done.status == 0, done.text[-4000:]
    assert (deployed.checkout.root / "results/small/stimuli/subj01.tsv").is_file()
    rooms = deployed.rooms()
    assert set(rooms) == {"controller", "data"}
    assert_complete(rooms["controller"] / "bin/python", {"snakemake"})
    assert_complete(rooms["data"] / "bin/python", modules_of_room("data"))


@large
def test_the_study_runs_in_its_rooms(deployed):
    done = deployed.snakemake("all", "plan")
    assert done.status == 0, done.text[-4000:]
    assert (deployed.checkout.root / "results/small/figures/roi_bars.svg").is_file()
    assert (deployed.checkout.root / "results/small/plan.json").is_file()
    rooms = deployed.rooms()
    assert set(rooms) == {"controller", "data", "embed", "encode", "figures", "methods", "plan"}
    for room in set(rooms) - {"controller"}:
        assert_complete(rooms[room] / "bin/python", modules_of_room(room))


@large
def test_the_doctor_examines_the_finished_study(deployed):
    done = deployed.snakemake("doctor")
    assert done.status == 0, done.text[-4000:]
    assert "Traceback" not in done.text
    assert_complete(deployed.rooms()["doctor"] / "bin/python", modules_of_room("doctor"))


@large
def test_the_download_reaches_out(deployed):
    # Nobody listens there: that is found by the room's own client, and said in one line.
    fetch = "{nsd_terms_accepted: true, endpoint: 'http://127.0.0.1:9'}"
    done = deployed.snakemake("fetch_nsd", "--config", f"fetch={fetch}")
    assert done.status == 1
    assert "127.0.0.1:9" in done.text, done.text[-4000:]
    assert "Traceback" not in done.text
    assert_complete(deployed.rooms()["fetch"] / "bin/python", modules_of_room("fetch"))


@large
def test_the_tools_start(deployed):
    tools = deployed.create("tools") / "bin"
    assert_complete(tools / "python", {"moto.server", "hypothesis", "playwright", "xdist"})
    for name in ("pytest", "ruff", "mypy", "snakefmt"):
        subprocess.run([tools / name, "--version"], check=True)


def test_every_room_is_tried():
    assert set(ROOMS) == {
        *("controller", "data", "embed", "encode", "figures", "methods", "plan"),
        *("doctor", "fetch", "tools"),
    }
