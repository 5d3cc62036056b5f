"""The notebook as it is committed: small, with its pictures, and without a word on a machine."""

from __future__ import annotations

from pathlib import Path

import nbformat

NOTEBOOK = Path(__file__).parents[2] / "docs/results.ipynb"


def test_what_is_committed_is_small_and_of_no_machine():
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 300_000
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [cell for cell in notebook.cells if "execution" in cell.metadata]
    assert not [word for word in ("/root", "/home/", "/work/", "/tmp/") if word in text]
