from __future__ import annotations

import ast
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from parsing import parse

from brainstruct.models.builders import BUILDERS
from brainstruct.workflow import identity


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the scripts that can be edited."""
    scripts = tmp_path / "workflow_scripts"
    shutil.copytree(identity.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(identity, "SCRIPTS", scripts)
    monkeypatch.setattr(identity, "PACKAGE", scripts / "brainstruct")
    return scripts


@pytest.fixture(autouse=True)
def _fresh():
    forget()
    yield
    forget()


def forget():
    for cached in (
        identity.stage_identity,
        identity._module_path,
        identity._read,
        identity._data_files,
    ):
        cached.cache_clear()


def edited(copy, name, old, new):
    path = copy / "brainstruct" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    forget()


def test_parsing_hashes_no_code():
    """A job of a cluster parses twice, and needs its own alone."""
    parse()
    parse("config/demo.yaml")
    assert identity.stage_identity.cache_info().misses == 0


def test_comments_docstrings_and_touches_change_nothing(copy):
    winners, regions = "encoding/alignment.py", "encoding/regions.py"
    before = identity.stage_identity("tabulate_rois")
    edited(copy, regions, '"""Regions of interest as', '"""Another docstring')
    edited(copy, winners, "\n\n\ndef ", '\n\nX: int\n"""About it."""\n\n\ndef ')
    documented = identity.stage_identity("tabulate_rois")
    edited(copy, winners, '"""About it."""', '"""More about it."""')
    assert identity.stage_identity("tabulate_rois") == documented
    edited(copy, winners, 'X: int\n"""More about it."""\n\n\n', "\n")
    edited(copy, regions, "import numpy as np\n", "import numpy as np  # why\n\n\n")
    (copy / "tabulate_rois.py").touch()
    assert identity.stage_identity("tabulate_rois") == before


def test_an_edit_changes_the_stages_that_reach_it_and_no_other(copy):
    table, bars = (identity.stage_identity(name) for name in ("tabulate_rois", "draw_roi_bars"))
    edited(copy, "encoding/regions.py", "numbers == number", "numbers >= number")
    assert identity.stage_identity("tabulate_rois") != table
    assert identity.stage_identity("draw_roi_bars") == bars


def test_an_edited_colour_redraws_what_shows_it_and_computes_nothing(copy):
    """As docs/figures.md says."""
    scripts = [path.stem for path in copy.glob("*.py")]
    before = {name: identity.stage_identity(name) for name in scripts}
    edited(copy, "figures/colours.toml", 'IC = "#38162b"', 'IC = "#38162c"')
    after = {name for name in scripts if identity.stage_identity(name) != before[name]}
    drawn = {name for name in scripts if name.startswith("draw_")}
    assert after == drawn | {"pack_surface", "build_viewer", "export_subject"}


def test_only_what_shapes_no_result_is_left_out():
    """A module that counts, put here, would be one whose edits rerun nothing."""
    assert set(identity.PLUMBING) == {
        "brainstruct.errors",
        "brainstruct.jobs",
        "brainstruct.store",
        "brainstruct.datasets.interface",
        "brainstruct.datasets.opening",
        "brainstruct.datasets.reading",
        "brainstruct.settings",
    }


def test_figures_and_plumbing_do_not_change_tables(copy):
    before = identity.stage_identity("tabulate_rois")
    edited(copy, "store/files.py", "def write_text", "def write_words")
    edited(copy, "figures/style.py", "import", "import sys\nimport")
    assert identity.stage_identity("tabulate_rois") == before


def test_one_family_does_not_touch_another(copy):
    blip = identity.stage_identity("plant_features", "brainstruct.models.instructblip")
    encoders = identity.stage_identity("plant_features", "brainstruct.models.encoders")
    assert blip != encoders
    edited(copy, "models/encoders.py", "class ", "X = 1\n\n\nclass ")
    again = identity.stage_identity("plant_features", "brainstruct.models.instructblip")
    assert again == blip
    assert identity.stage_identity("plant_features", "brainstruct.models.encoders") != encoders


def test_a_family_that_is_added_does_not_touch_another(copy):
    before = identity.stage_identity("plant_features", "brainstruct.models.encoders")
    lines = '[dino]\nmodule = "brainstruct.models.dino"\nname = "Dino"\nmodality = "image"\n\n'
    edited(copy, "models/families.toml", "[vit]", f"{lines}[vit]")
    assert identity.stage_identity("plant_features", "brainstruct.models.encoders") == before


SOURCE = '''
"""What it is for."""
from typing import NamedTuple
LIMIT: int = 3
"""Why three."""
class Pair(NamedTuple):
    """Two."""
    left: int
    def shown(self, *names: str, unit=None) -> str:
        """Say it."""
        if names:
            "an aside"
            return f"{self.left:.2f} {unit!r}" "\\u2014\\U0001fae8" f"{self.left=}"
        return None or -1.5e300 * 2j or b"\\0" or {**{}, "a": [*names]} or ...
def nothing():
    pass
'''


def test_the_version_of_python_does_not_matter():
    """Pinned: what 3.11, 3.12 and 3.13 make of it."""
    code = identity._dump(ast.parse(SOURCE))
    assert hashlib.sha256(code.encode()).hexdigest()[:12] == "e8e17418b288"
    assert "type_params" not in code


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_another_python_finds_the_same_identity(version):
    python = other_python(version)
    if python is None:
        pytest.skip(f"there is no Python {version}")
    ask = (
        "from brainstruct.workflow.identity import stage_identity as s\n"
        "print(s('plant_features'), s('tabulate_rois'))"
    )
    answer = subprocess.run(
        [python, "-c", ask],
        env={"PYTHONPATH": str(identity.SCRIPTS), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    ours = [identity.stage_identity(name) for name in ("plant_features", "tabulate_rois")]
    assert answer.stdout.split() == ours


def other_python(version):
    """Return a Python of this minor version, if this machine has one."""
    managed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    found = managed[-1] if managed else shutil.which(f"python{version}")
    if found is None or subprocess.run([found, "--version"], capture_output=True).returncode:
        return None  # a shim of a version manager may have nothing behind it
    return str(found)


def test_files_beside_code_have_an_identity(copy):
    before = identity.folder_identity("figures/viewer_page")
    page = copy / "brainstruct/figures/viewer_page/viewer.html"
    page.write_text(page.read_text() + "\n<p>more</p>\n")
    edited = identity.folder_identity("figures/viewer_page")
    page.rename(page.with_name("other.html"))
    assert len({before, edited, identity.folder_identity("figures/viewer_page")}) == 3


def test_a_file_that_a_module_names_counts_for_the_stages_that_reach_it(copy):
    bars, table = (identity.stage_identity(name) for name in ("draw_roi_bars", "tabulate_rois"))
    edited(copy, "figures/matplotlibrc", "font.size", "# larger\nfont.size")
    assert identity.stage_identity("draw_roi_bars") != bars
    assert identity.stage_identity("tabulate_rois") == table


@pytest.mark.parametrize(
    ("name", "touched"),
    [
        ("models/tiny/idefics.py", {"idefics"}),
        ("models/tiny/network.py", set(BUILDERS)),
        ("models/mplug_owl/tiny.py", {"mplug-owl"}),
    ],
)
def test_a_builder_is_part_of_what_its_checkpoints_depend_on(copy, name, touched):
    def codes():
        return {
            kind: identity.stage_identity("build_tiny_checkpoint", module)
            for kind, module in BUILDERS.items()
        }

    before = codes()
    edited(copy, name, "\n\nfrom ", "\n\nNEW = 1\nfrom ")
    assert {kind for kind, code in codes().items() if code != before[kind]} == touched
