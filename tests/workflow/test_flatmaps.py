"""The rule that prepares flatmaps, on a user's data set with surfaces and transforms only."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from checkout import Checkout

from brainstruct.datasets.nsd.layout import Layout
from nsd_folder import write_subject

MARKER = "results/user/pycortex/ready.json"


@pytest.fixture(scope="module")
def with_surfaces(tmp_path_factory) -> Checkout:
    from brainstruct.figures.fsaverage import load_fsaverage5

    checkout = Checkout.fresh(tmp_path_factory.mktemp("surfaces") / "checkout")
    write_subject(Layout(checkout.root / "nsd"), "subj01", load_fsaverage5(), (82, 106, 84))
    config = {
        "subjects": ["subj01"],
        "results": "results/user",
        "data": {"nsd_root": "nsd"},
        "flatmaps": {"height": 64},
    }
    (checkout.root / "user.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return checkout


@pytest.fixture
def user(with_surfaces, tmp_path) -> Checkout:
    return with_surfaces.copy(tmp_path / "checkout")


def prepare(checkout: Checkout, *arguments: str):
    return checkout.snakemake(MARKER, "--configfile", "user.yaml", *arguments)


def log_of(checkout: Checkout) -> str:
    return (checkout.root / "results/user/logs/prepare_pycortex.log").read_text()


def test_own_cortex_then_fsaverage_once_the_patches_are_gone(user):
    done = prepare(user)
    assert done.status == 0, done.text[-4000:]
    assert "subj01 is drawn from freesurfer: " in log_of(user)
    assert json.loads((user.root / MARKER).read_text())["subj01"]["source"] == "freesurfer"
    assert prepare(user, "-n").jobs == {}

    for patch in (user.root / "nsd/nsddata/freesurfer/subj01/surf").glob("*.patch.3d"):
        patch.unlink()
    done = prepare(user)
    assert done.status == 0, done.text[-4000:]
    assert "subj01 is drawn from fsaverage: resources/pycortex lacks this subject" in log_of(user)
    assert json.loads((user.root / MARKER).read_text())["subj01"]["source"] == "fsaverage"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: _cut(folder / "freesurfer/subj01/surf/rh.pial"), ["rh.pial"]),
        (
            lambda folder: shutil.rmtree(folder / "ppdata/subj01/transforms"),
            ["6 of 17 files", "lh.func1pt8-to-layerB1.mgz", "aws s3 cp", "flatmaps.source"],
        ),
    ],
)
def test_damaged_and_missing_files_give_one_message(user, damage, words):
    damage(user.root / "nsd/nsddata")
    done = prepare(user)
    assert done.status == 1
    for word in words:
        assert word in done.text, done.text[-4000:]
    assert "Traceback" not in done.text
    assert not (user.root / MARKER).exists()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
