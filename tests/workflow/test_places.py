"""Names in the ledger say nothing of where things lie."""

from __future__ import annotations

import pytest

from brainstruct.config.files import read_config
from brainstruct.config.loading import load_study
from brainstruct.config.sense import REPOSITORY
from brainstruct.workflow.places import Places

PLACES = Places(
    "results/demo",
    {"<data.nsd_root>": "/data/nsd", "<data.annotations>": "/data/nsd/captions", "<x>": "res"},
)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("results/demo/fits/a.nc", "fits/a.nc"),
        ("/data/nsd/nsddata/design.mat", "<data.nsd_root>/nsddata/design.mat"),
        ("/data/nsd/captions/2017.json", "<data.annotations>/2017.json"),
        ("/data/nsd", "<data.nsd_root>"),
        ("/data/nsd2/file", "/data/nsd2/file"),
        ("res/file", "<x>/file"),
    ],
)
def test_names_and_paths(path, name):
    assert PLACES.name(path) == name
    assert PLACES.path(name) == path


def test_values_get_names_for_whole_paths_alone():
    value = repr(
        {"nsd_root": "/data/nsd", "work": "results/demo/work", "text": "in results/demo/x"}
    )
    named = PLACES.names_in(value)
    assert named == (
        "{'nsd_root': '<data.nsd_root>', 'work': '<results>/work', 'text': 'in results/demo/x'}"
    )
    assert PLACES.paths_in(named) == value
    moved = Places("/scratch/r", {"<data.nsd_root>": "/other"})
    assert moved.paths_in(named) == (
        "{'nsd_root': '/other', 'work': '/scratch/r/work', 'text': 'in results/demo/x'}"
    )


def test_a_configuration_s_paths_are_its_places():
    config = read_config([REPOSITORY / "config/demo.yaml"])
    places = Places.of(load_study(config))
    assert places.root == config["results"].rstrip("/")
    assert places.others["<data.nsd_root>"] == config["data"]["nsd_root"].rstrip("/")
    assert "<checkpoints.instructblip.path>" in places.others
