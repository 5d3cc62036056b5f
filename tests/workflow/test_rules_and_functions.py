"""Every rule and the function behind it name the same things, and say what they mean."""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from types import SimpleNamespace
from typing import get_args, get_type_hints

import pytest
from checkout import REPOSITORY
from parsing import parse, recorded, script_of, values, wildcards_of
from pydantic import BaseModel

from brainstruct.config.loading import load_study
from brainstruct.datasets.interface import DataSet
from brainstruct.jobs.binding import RECORDED, FromConfig, bind
from brainstruct.jobs.help import MEANINGS
from fake_job import fake_job

COMMANDS = {"doctor", "fetch_nsd"}
"""Commands of their own, too: what they say with ``--help`` is their own."""

RULES = {
    (file, rule.name): rule
    for file, rules in (
        ("paper", parse()),
        ("layer by layer", parse(encoding={"layers_per_job": 1})),
        ("demo", parse("config/demo.yaml")),
    )
    for rule in rules
    if rule.script and (file != "layer by layer" or rule.name == "predict_selected")
}
ONE_EACH = {script_of(rule): rule for rule in RULES.values()}
"""A rule of every script."""


def function(script: str):
    return getattr(import_module(script), script)


def names(rule) -> set[str]:
    """Inputs, outputs and parameters of a rule that have names."""
    return {name for items in (rule.input, rule.output, rule.params) for name, _ in items.items()}


@pytest.mark.parametrize("rule", RULES.values(), ids=map(": ".join, RULES))
def test_no_name_is_missing_and_none_unused(rule):
    script = script_of(rule)
    hints = get_type_hints(function(script), include_extras=True)
    settings = {
        name
        for name, hint in hints.items()
        if any(isinstance(mark, FromConfig) for mark in get_args(hint))
    }
    asked = set(inspect.signature(function(script)).parameters)
    given = names(rule)
    assert given - asked <= RECORDED, "given, and not asked for"
    assert asked - given - settings <= set(rule.wildcard_names) | {"threads", "gpus"}, "asked for"
    parts = [set(dict(part.items())) for part in (rule.input, rule.output, rule.params)]
    assert sum(map(len, parts)) == len(set.union(*parts)), "one name for two things"


@pytest.mark.parametrize("script", sorted(ONE_EACH))
def test_a_script_is_one_function_of_its_name_with_named_arguments(script):
    source = (REPOSITORY / f"workflow_scripts/{script}.py").read_text(encoding="utf-8")
    assert re.match(rf'"""Rules? (and command )?{script}', source)
    if script not in COMMANDS:
        last = ast.parse(source).body[-1]  # it runs where it stands: what it needs is above
        assert (last.name, *map(ast.unparse, last.decorator_list)) == (script, "script")
    for parameter in inspect.signature(function(script)).parameters.values():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.name in MEANINGS or script in COMMANDS or _is_setting(script, parameter)
    assert "job.params" not in source
    assert "snakemake.params" not in source


def _is_setting(script, parameter) -> bool:
    hint = get_type_hints(function(script), include_extras=True)[parameter.name]
    return any(isinstance(mark, FromConfig) for mark in get_args(hint))


def test_the_vocabulary_has_no_word_that_nobody_uses():
    used = {name for script in ONE_EACH for name in inspect.signature(function(script)).parameters}
    assert set(MEANINGS) <= used


def job_of(rule, config) -> SimpleNamespace:
    """What Snakemake would hand to the job's script; items that are files are words."""
    wildcards = wildcards_of(rule)
    parts = {part: values(getattr(rule, part), wildcards) for part in ("input", "output", "params")}
    return fake_job(rule.name, wildcards=dict(wildcards.items()), config=config, **parts)


@pytest.mark.parametrize("rule", RULES.values(), ids=map(": ".join, RULES))
def test_what_a_rule_gives_is_of_the_type_that_its_function_asks_for(rule, demo_config):
    study = load_study(demo_config)
    config = study.model_dump()
    bound = bind(function(script_of(rule)), job_of(rule, config))
    for name, value in bound.items():
        # A setting that a rule forgets would be its default, whatever the configuration says.
        for block in _blocks(value):
            forgotten = set(type(block).model_fields) - block.model_fields_set
            assert not forgotten, f"{name} lacks {forgotten}"


def _blocks(value):
    if isinstance(value, DataSet):
        return  # it says itself what decides what a job reads of it
    if isinstance(value, BaseModel):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _blocks(inner)


@pytest.mark.parametrize("rule", RULES.values(), ids=map(": ".join, RULES))
def test_parameters_are_plain(rule):
    """Snakemake leaves everything else out of its records, and a change would go unnoticed."""
    for name, value in recorded(rule).items():
        assert _is_plain(value), name


def _is_plain(value) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or type(value) in (str, int, float, bool)
