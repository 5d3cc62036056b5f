from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from brainstruct.errors import InputError
from brainstruct.models import tiny

KINDS = ("instructblip", "idefics", "llava", "vit", "clip")


def digest(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_bytes(tmp_path, kind):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        tiny.build(kind, tmp_path / name, seed, n_blocks=2)
    first, again, other = (digest(tmp_path / name) for name in "abc")
    assert first == again
    assert first.keys() == other.keys()
    changed = {name for name, found in first.items() if other[name] != found}
    assert changed == {name for name in first if name.endswith(".safetensors")}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_another_process_gives_the_same_bytes(tmp_path):
    for kind in KINDS:
        tiny.build(kind, tmp_path / "here" / kind, n_blocks=1)
    code = (
        "from brainstruct.models import tiny\n"
        f"for kind in {KINDS}: tiny.build(kind, 'there/' + kind, n_blocks=1)"
    )
    scripts = str(Path(tiny.__file__).parents[3])
    environment = {**os.environ, "PYTHONPATH": scripts, "PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    assert digest(tmp_path / "here") == digest(tmp_path / "there")


def test_an_old_checkpoint_is_replaced(tmp_path):
    folder = tmp_path / "vit"
    folder.mkdir()
    (folder / "stale").touch()
    tiny.build("vit", folder, n_blocks=1)
    assert not (folder / "stale").exists()
    assert (folder / "model.safetensors").exists()


def test_a_failed_build_leaves_nothing(tmp_path):
    # three features cannot be shared among four heads
    with pytest.raises(ZeroDivisionError):
        tiny.build("vit", tmp_path / "vit", n_blocks=1, width=3)
    assert list(tmp_path.iterdir()) == []


def test_unknown_kinds_and_sizes_are_named(tmp_path):
    with pytest.raises(InputError, match="unknown kind 'blip'"):
        tiny.build("blip", tmp_path / "x")
    with pytest.raises(InputError, match=r"no size depth.*n_blocks"):
        tiny.build("vit", tmp_path / "x", depth=3)
