"""Each setting, changed alone, makes the jobs run again that depend on it, and no others.

What follows from their new results runs again, too: that is Snakemake's own doing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from parsing import parse, recorded, script_of
from pydantic import BaseModel

from brainstruct.config.files import read_config
from brainstruct.config.loading import load_study
from brainstruct.config.sense import REPOSITORY
from brainstruct.config.study import Study
from brainstruct.workflow.places import Places
from costs import PAGE, TABLE, with_table

CHANGES = {name: row for name, row in TABLE["settings"].items() if "why" not in row}
"""Setting of the demo -> another value, and the scripts whose jobs run again."""

OTHERWISE = {name: row["why"] for name, row in TABLE["settings"].items() if "why" in row}
"""Settings that cannot be changed alone, or change no job, and why."""


def changed(config: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    config = copy.deepcopy(config)
    *way, last = key.split(".")
    place: Any = config
    for part in way:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    place[last] = value
    return config


def records(config: dict[str, Any]) -> dict[str, list[Any]]:
    """Script -> what is remembered of a job of each of its rules, wherever things lie."""
    found: dict[str, list[Any]] = {}
    places = Places.of(load_study(config))
    for rule in parse(**config):
        if rule.script and rule.output:
            job = {part: places.names_in(repr(value)) for part, value in recorded(rule).items()}
            found.setdefault(script_of(rule), []).append(job)
    return found


@cache
def study(name: str) -> dict[str, Any]:
    if name == "demo":
        return read_config([REPOSITORY / "config/demo.yaml"])
    return changed(read_config(), "data.nsd_root", "nsd")


@cache
def before(name: str) -> dict[str, list[Any]]:
    return records(study(name))


@pytest.mark.parametrize("key", CHANGES)
def test_a_changed_setting_is_noticed_by_its_jobs_alone(key):
    row = CHANGES[key]
    name = row.get("of", "demo")
    then, now = before(name), records(changed(study(name), key, row["other"]))
    differ = {one for one in then.keys() | now.keys() if then.get(one) != now.get(one)}
    assert differ == set(row["reruns"])


def settings(block: type[BaseModel], way: str = "") -> Iterator[str]:
    """Name every setting there is; of blocks in lists and mappings, those of one entry."""
    for name, field in block.model_fields.items():
        key = f"{way}{name}"
        inner = {"models": "0.", "checkpoints": "instructblip.", "instruction_texts": "IC."}.get(
            key
        )
        blocks = [one for one in _types(field.annotation) if issubclass(one, BaseModel)]
        if blocks and (inner or key.count(".") == 0 or key == "encoding.alphas"):
            yield from settings(blocks[0], f"{key}.{inner or ''}")
        else:
            yield key


def _types(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type) and not getattr(annotation, "__args__", ()):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _types(inner)


def test_no_setting_is_forgotten():
    names = {name if name.split(".")[0] != "fetch" else "fetch" for name in settings(Study)}
    assert names == CHANGES.keys() | OTHERWISE.keys()


def test_the_page_s_table_is_made_from_these_rows():
    text = PAGE.read_text(encoding="utf-8")
    assert with_table(text) == text, "make costs"
