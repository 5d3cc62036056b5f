"""What a module of another workflow is given, and what it is refused."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from checkout import REPOSITORY

from brainstruct.errors import InputError
from brainstruct.workflow.module import module_config


def workflow(*, main=False, prefix=""):
    modifier = SimpleNamespace(
        is_main_snakefile=lambda: main, modify_path=lambda path: f"{prefix}{path}"
    )
    return SimpleNamespace(modifier=modifier)


def test_a_run_of_its_own_keeps_its_configuration():
    config = {"study": "mine"}
    assert module_config(workflow(main=True), config, "elsewhere") is config


def test_a_module_gets_the_defaults_under_its_settings(paper_config):
    config = {"study": "mine", "encoding": {"folds": 3}}
    completed = module_config(workflow(), config, str(REPOSITORY))
    assert completed["study"] == "mine"
    assert completed["encoding"] == paper_config["encoding"] | {"folds": 3}
    assert completed["instruction_texts"] == paper_config["instruction_texts"]
    assert config == {"study": "mine", "encoding": {"folds": 3}}, "the user's own is untouched"


def test_a_prefix_is_refused():
    with pytest.raises(InputError, match=r"has a prefix.*set 'results' and 'data.nsd_root'"):
        module_config(workflow(prefix="mine/"), {}, str(REPOSITORY))


def test_two_versions_are_refused(tmp_path):
    with pytest.raises(InputError, match="beside another version of itself"):
        module_config(workflow(), {}, str(tmp_path))
