"""Torchvision where its compiled part does not load, and where there is none at all."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torchvision.extension
from checkout import REPOSITORY

FIRST = "import transformers.image_utils as used; print(used.InterpolationMode.BICUBIC.value)"


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=REPOSITORY / "workflow_scripts",
    )
    return done.stdout.strip(), done.stderr


@pytest.mark.skipif(torchvision.extension._has_ops(), reason="its compiled part is loaded")
def test_its_import_stops_without_us():
    assert "operator torchvision::nms does not exist" in run(FIRST)[1]


@pytest.mark.parametrize("room", ["models", "models.registry", "models.tiny"])
def test_it_is_imported_after_any_part_of_the_room(room):
    assert run(f"import brainstruct.{room}; {FIRST}")[0] == "bicubic"


def test_the_room_itself_imports_neither():
    code = "import sys, brainstruct.models; print({'torch', 'torchvision'} & set(sys.modules))"
    assert run(code)[0] == "set()"
