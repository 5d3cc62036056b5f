"""What a dataset says of itself, made up or measured."""

from __future__ import annotations

import html
import re

import pytest
from markdown_it import MarkdownIt

from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.exports.description import dataset_description, read_me
from hostile import TEXTS

INSTRUCTIONS = {"IC": {"task": "Captioning", "text": "Describe it for $5"}}


NSD = Nsd(nsd_root="")


def readme(*, synthetic: bool = False, instructions=INSTRUCTIONS) -> str:
    return read_me(
        "a study",
        NSD,
        synthetic=synthetic,
        models=[{"key": "vit-h", "label": "ViT-H"}, {"key": "clip", "label": "CLIP"}],
        labels={"vit-h": "vitH", "clip": "clip"},
        instructions=instructions,
        surfaces={"subj01": "on fsnative", "subj05": "no surfaces"},
    )


def test_the_read_me_names_models_instructions_and_surfaces():
    lines = readme().splitlines()
    assert lines[0].startswith("# a study:")
    place = lines.index("| `<model>` | Key in tables | Model |")
    assert lines[place + 2 : place + 5] == [
        "| `vitH` | `vit-h` | ViT-H |",
        "| `clip` | `clip` | CLIP |",
        "",
    ]
    assert lines[place + 5 : place + 10] == [
        "| Instruction | Task | Text |",
        "|---|---|---|",
        r"| `IC` | Captioning | Describe it for \$5 |",
        "",
        "## Spaces",
    ]
    assert "- sub-05: no surfaces." in lines
    assert any("_task-nsdcore_space-func1pt8mm_stat-alignment_" in line for line in lines)


def test_labels_and_instructions_are_shown_as_they_are():
    asked = {f"I{n}": {"task": text, "text": text} for n, text in enumerate(TEXTS)}
    told = read_me(
        "s",
        NSD,
        synthetic=False,
        models=[{"key": f"m{n}", "label": text} for n, text in enumerate(TEXTS)],
        labels={f"m{n}": f"m{n}" for n in range(len(TEXTS))},
        instructions=asked,
        surfaces={},
    )
    page = MarkdownIt("commonmark").enable("table").render(told)
    cells = [html.unescape(cell) for cell in re.findall("<td>(.*?)</td>", page)]
    for text in TEXTS:
        assert cells.count(" ".join(text.split())) == 3
    assert not re.search("<(script|svg|img|a|b|em)\\b", page)


def test_a_study_of_towers_has_no_table_of_instructions():
    text = readme(instructions={})
    assert "| Instruction |" not in text
    assert "$" not in text and "\n\n\n" not in text


@pytest.mark.parametrize("synthetic", [False, True])
def test_made_up_data_are_called_made_up_and_name_no_source(synthetic):
    text = readme(synthetic=synthetic)
    assert ("Made-up data: this study" in text) is synthetic
    assert ("Derivatives of the Natural Scenes Dataset" in text) is not synthetic
    told = dataset_description("s", NSD, synthetic=synthetic, snakemake="9", codes={"export": "0a"})
    assert ("synthetic" in told["Name"]) is synthetic
    assert ("SourceDatasets" in told) is ("DatasetLinks" in told) is not synthetic
    assert "License" not in told
    assert "(hashes): export 0a." in told["GeneratedBy"][0]["Description"]


def test_a_data_set_without_texts_of_its_own_is_told_of_in_general():
    class Elsewhere(Nsd):
        texts = None
        lie = "nowhere"

    told = read_me(
        "s",
        Elsewhere(nsd_root=""),
        synthetic=False,
        models=[],
        labels={},
        instructions={},
        surfaces={},
    )
    assert "lie in no volume" in told
    assert "Cite the data set" in told
