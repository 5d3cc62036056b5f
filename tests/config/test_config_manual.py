"""config/README.md explains every key, and its examples are valid."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from brainstruct.config.loading import load_study

FOLDER = Path(__file__).parents[2] / "config"
SCHEMA = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
SPAN = re.compile(r"`([^`]+)`")


def rows() -> dict[str, str]:
    """Key -> example, from the tables."""
    found: dict[str, str] = {}
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for line in text.partition("## What a change costs")[0].splitlines():
        if not line.startswith("| `"):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        names, examples = SPAN.findall(cells[0]), SPAN.findall(cells[-1])
        assert len(cells) == 4, f"four columns: {line}"
        assert len(names) == len(examples), f"an example for each key: {line}"
        block = names[0].rpartition(".")[0]
        for name, example in zip(names, examples, strict=True):
            found[f"{block}{name}" if name.startswith(".") else name] = example
    return found


ROWS = rows()


def keys(block: dict[str, Any], prefix: str = "") -> set[str]:
    """All keys of a block of the schema, as the manual writes them."""
    found = set()
    for name, entry in block["properties"].items():
        text = json.dumps(entry)
        inner = re.search(r"#/\$defs/(\w+)", text)
        whole = {"decoding", "alphas", "planted", "checkpoints", "layers"}
        if inner is None or (name in whole and prefix):
            found.add(prefix + name)
            continue
        if '"items"' in text:
            found.add(prefix + name)
            place = f"{prefix}{name}[]."
        elif '"patternProperties"' in text:
            place = f"{prefix}{name}.{'KEY' if name == 'instruction_texts' else 'NAME'}."
        else:
            place = f"{prefix}{name}."
        found |= keys(SCHEMA["$defs"][inner[1]], place)
    return found


def example_of(key: str) -> dict[str, Any]:
    """A configuration with nothing but the example."""
    value = yaml.safe_load(ROWS[key])
    for part in reversed(key.replace("KEY", "IC").replace("NAME", "instructblip").split(".")):
        value = {part: value}
    return value


def test_every_key_has_a_row_and_every_row_a_key():
    listed = {name.removesuffix(".NAME") if "synthetic" in name else name for name in ROWS}
    assert listed == keys(SCHEMA)


@pytest.mark.parametrize("key", ROWS)
def test_examples_are_valid(paper_config, key):
    example = example_of(key)
    if key.startswith("models[]."):
        model = paper_config["models"][0] | example["models[]"]
        paper_config["models"][0] = model
        jsonschema.validate({"models": [model]}, SCHEMA)
        load_study(paper_config)
        return
    jsonschema.validate(example, SCHEMA)
    if key.startswith("synthetic."):
        return  # these depend on each other; the demo has them all
    for block, value in example.items():
        old = paper_config.get(block)
        if isinstance(value, dict) and isinstance(old, dict) and block != "concepts":
            for name, inner in value.items():
                both = isinstance(inner, dict) and isinstance(old.get(name), dict)
                old[name] = old[name] | inner if both else inner
        else:
            paper_config[block] = value
    assert load_study(paper_config) is not None
