from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from pybtex.database import parse_string

from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.methods.facts import Facts, ModelFacts, SubjectFacts
from brainstruct.methods.page import PAPERS, write_methods
from brainstruct.methods.references import as_list, cited, link_citations, load
from brainstruct.models.registry import FAMILIES
from hostile import TEXTS


def model(key: str, family: str, instructions: tuple[str, ...] = (), **changes: Any) -> ModelFacts:
    given = ModelFacts(
        key,
        key.upper(),
        family,
        f"hub/{key}",
        "52ba0cb2",
        "7" * 64,
        33,
        33,
        4096,
        instructions,
        None,
    )
    return replace(given, **changes)


@pytest.fixture
def facts() -> Facts:
    return Facts(
        subjects=(
            SubjectFacts("subj01", 40, 9000, 1000, 15724, 3, 15721, 312, 0.1674, 0.048, 120, 2),
            SubjectFacts("subj05", 37, 8611, 907, 13039, 0, 13039, 287, 0.1716, 0.051, 0, 0),
        ),
        models=(
            model("blip", "instructblip", ("IC", "IU1")),
            model("noise", "instructblip", ("IC",), random_seed=17),
            model("text", "clip-text", n_layers=13, n_fitted=5, n_features=768),
        ),
        runs={
            "dtype": ("bfloat16",),
            "device": ("cuda",),
            "storage": ("float16",),
            "pooling": ("response_mean",),
            "max_new_tokens": ("32",),
            "sampling": ("greedy",),
            "torch": ("2.13.0",),
            "transformers": ("5.23.0",),
            "himalaya": ("0.4.11",),
            "brainstruct": ("0.1.0",),
        },
        encoding={
            "alpha_score": "l2_neg_loss",
            "weights": None,
            "alphas": {"count": 25, "log10_min": -1.0, "log10_max": 6.0},
            "folds": 5,
            "permutations": 1000,
            "preset": None,
            "solver": "gram",
            "seed": 2505,
            "smallest_p": 1e-7,
        },
    )


NSD = Nsd(nsd_root="")


@pytest.fixture
def study() -> dict[str, Any]:
    return {
        "name": "a study",
        "seed": 2505,
        "synthetic": False,
        "mask": "nsdgeneral",
        "rois": ["prf-visualrois", "floc-bodies"],
        "alignment": {"ceiling": "ncsnr", "ceiling_threshold": 0.05, "layers": "best"},
        "statistics": {"n_draws": 1000, "control": "fdr"},
        "cross_subject": {"curve": "spearman_brown", "extrapolate_images": True},
        "instructions": {
            "IC": {"task": "Image Captioning", "text": "Generate some text"},
            "IU1": {"task": "Image Understanding", "text": "Name <b>one</b> colour"},
        },
        "snakemake": "9.27.1",
    }


def test_prompts_are_shown_as_they_were_written(study, facts):
    assert "Prompts" not in write_methods(study, facts, NSD).markdown  # none was kept
    blip, *others = facts.models
    asked = replace(blip, prompt="USER: <image>\n{instruction} *now*|\nASSISTANT:")
    page = write_methods(study, replace(facts, models=(asked, *others)), NSD)
    (cell,) = re.findall(r"<td>BLIP</td>\s*<td>(USER.*)</td>", page.html)
    assert html.unescape(cell) == r"USER: <image>\n{instruction} *now*|\nASSISTANT:"
    assert "NOISE" not in page.html.partition("Prompts")[2].partition("</table>")[0]


def row(markdown: str, first: str) -> list[str]:
    line = next(line for line in markdown.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_counts_settings_and_versions_are_those_of_the_files(study, facts):
    text = write_methods(study, facts, NSD).markdown
    assert row(text, "subj05") == [
        "subj05",
        "37",
        "8,611",
        "907",
        "13,039",
        "0",
        "13,039",
        "287",
        "0.172",
        "0",
        "0",
    ]
    assert row(text, "BLIP")[1:3] == ["hub/blip", "52ba0cb2 (content 777777777777)"]
    assert row(text, "NOISE")[-1] == "17"
    assert row(text, "TEXT")[3:5] == ["13 (5) x 768", "none"]
    assert "among 25 from 10⁻¹ to 10⁶" in text
    assert "seed 2505" in text and "PyTorch 2.13.0" in text and "Snakemake 9.27.1" in text
    assert "2 subjects (subj01 and subj05)" in text
    assert "synthetic" not in text


def test_synthetic_data_are_called_synthetic(study, facts):
    text = write_methods(study | {"synthetic": True}, facts, NSD).markdown
    assert "data of this study are synthetic" in text
    assert "7 T scanner" not in text


@pytest.mark.parametrize(
    ("changed", "says", "not_says"),
    [
        ({"ceiling_threshold": "auto"}, "4.8 % (subj01), 5.1 % (subj05) of voxels", "under auto"),
        ({"ceiling_threshold": 0.05}, "ceiling under 0.05 were excluded", "without signal"),
        (
            {"ceiling": "cross_subject", "ceiling_threshold": "auto"},
            "under twice its standard error",
            "shuffled within",
        ),
        ({"ceiling": "cross_subject"}, "from the other subjects", "ncsnr²"),
        ({"layers": "mean"}, "averaged over layers", "layer with the best"),
    ],
)
def test_the_text_follows_the_configuration(study, facts, changed, says, not_says):
    text = write_methods(study | {"alignment": study["alignment"] | changed}, facts, NSD).markdown
    assert says in text and not_says not in text


def test_a_preset_is_described_by_its_own_settings(study, facts):
    preset = {"preset": "oota2025", "permutations": 0, "seed": 1}
    text = write_methods(study, replace(facts, encoding=preset), NSD).markdown
    assert "`oota2025`" in text and "from 10¹ to 10⁴" in text
    assert "shuffled" not in text and "against chance" not in text


def test_the_test_against_chance_is_described(study, facts):
    text = write_methods(study, facts, NSD).markdown
    assert "by about 1,000 permutations" in text and "[@hemerik2018]" in text
    assert "not stated under 10⁻⁷" in text and "[@benjamini1995] over the voxels above" in text
    few = replace(facts, encoding={**facts.encoding, "permutations": 60, "smallest_p": 1 / 60})
    strict = study | {"statistics": study["statistics"] | {"control": "fwe"}}
    text = write_methods(strict, few, NSD).markdown
    assert "*p* cannot be smaller than 0.017." in text
    assert "largest *r* in every permutation [@nichols2002]" in text


def test_partitions_are_told_of_where_a_model_has_two_instructions(study, facts):
    assert "banded ridge" in write_methods(study, facts, NSD).markdown
    single = replace(facts, models=tuple(m for m in facts.models if m.key != "blip"))
    assert "banded ridge" not in write_methods(study, single, NSD).markdown


def test_nothing_is_said_about_responses_when_none_were_decoded(study, facts):
    prompts = replace(facts, runs={**facts.runs, "pooling": ("prompt_mean",)})
    text = write_methods(study, prompts, NSD).markdown
    assert "decoded" not in text and "`prompt_mean`" in text


def test_a_study_of_towers_alone_has_no_instructions(study, facts):
    towers = replace(facts, models=(model("vit", "vit"),))
    text = write_methods(study | {"instructions": {}}, towers, NSD).markdown
    assert "per instruction" not in text and "| instruction |" not in text
    assert "Random baselines" not in text


def test_page_holds_text_and_references_and_nothing_from_elsewhere(study, facts):
    written = write_methods(study, facts, NSD)
    keys = cited(written.markdown)
    assert {"allen2022", "dupre2022", "gao2015", "molder2021", "oota2025", "dai2023"} <= set(keys)
    assert "ye2023" not in keys  # a model that was not run
    assert set(parse_string(written.bibtex, "bibtex").entries) == set(keys)
    for key in keys:
        assert f'href="#{key}"' in written.html and f'id="{key}"' in written.html
    assert "[@" not in written.html and "Dupré la Tour et al., 2022" in written.html
    assert "<b>one</b>" not in written.html and "&lt;b&gt;one" in written.html
    assert not re.search(r'(?:src|<link[^>]*href)="(?:https?:)?//', written.html)


def test_texts_of_the_study_are_shown_as_they_are_and_cite_nothing(study, facts):
    said = [" ".join(text.split()) for text in TEXTS]
    models = tuple(
        model(f"m{number}", "instructblip", ("IC",), label=text, source=text, revision=text)
        for number, text in enumerate(TEXTS)
    )
    asked = {f"I{number}": {"task": text, "text": text} for number, text in enumerate(TEXTS)}
    plain = write_methods(study, replace(facts, models=models[:1]), NSD)
    written = write_methods(
        study | {"instructions": asked}, replace(facts, models=(*models, *facts.models)), NSD
    )
    assert set(cited(written.markdown)) == set(cited(plain.markdown)) | {"radford2021"}
    assert set(re.findall(r"<([a-z]+\d?)", written.html)) <= {
        *("html", "meta", "link", "title", "style", "h1", "h2", "p", "strong", "em", "code", "a"),
        *("table", "thead", "tbody", "tr", "th", "td", "section", "span", "i"),
    }
    cells = [html.unescape(cell) for cell in re.findall("<td>(.*?)</td>", written.html)]
    for text in said:
        assert cells.count(text) >= 4  # label, source, task, text
        assert f"{text} (content 777777777777)" in cells
    paragraphs = html.unescape(written.html)
    assert ", ".join(said[:3]) in paragraphs or "; ".join(said[:3]) in paragraphs


def test_every_family_has_a_paper_in_the_bibliography():
    assert set(PAPERS) == set(FAMILIES) - {"auto", "image", "text"}
    library = load(set(PAPERS.values()))
    for entry in library.entries.values():
        assert {"title", "year"} <= set(entry.fields) and entry.persons["author"]


def test_citations_become_links():
    references = as_list(load(["benjamini1995", "gao2015"]))
    linked = link_citations("so [@gao2015; @benjamini1995].", references)
    assert linked == (
        "so ([Gao et al., 2015](#gao2015); [Benjamini and Hochberg, 1995](#benjamini1995))."
    )


def test_a_missing_entry_is_an_error():
    with pytest.raises(KeyError):
        load(["nobody1900"])
