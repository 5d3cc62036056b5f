"""The text: a template filled with facts, in Markdown and as a page."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt

from brainstruct.datasets.interface import DataSet
from brainstruct.methods.facts import Facts
from brainstruct.methods.references import as_list, cited, link_citations, load
from brainstruct.store.resources import table_beside
from brainstruct.store.texts import markdown

_TEMPLATE = Path(__file__).parent / "template"

PAPERS: dict[str, str] = table_beside(__file__, "papers.toml")
"""Family of models -> key of the paper that describes it."""

_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@dataclass(frozen=True)
class Methods:
    """What was done, as text."""

    markdown: str  # with citations as ``[@key]``, which pandoc understands
    bibtex: str  # the entries it cites
    html: str  # both as one self-contained page


def write_methods(study: Mapping[str, Any], facts: Facts, dataset: DataSet) -> Methods:
    """Fill the template.

    `study` is what the configuration says and files do not: see ``methods.md`` in the
    template's folder for what it uses. A data set's own ``data_set.md``, if it has one, tells
    of it. What the template uses and nobody has is a `jinja2.UndefinedError`, what the text
    cites and the bibliography lacks a `KeyError`.
    """
    environment = Environment(
        loader=FileSystemLoader([*filter(None, [dataset.texts]), _TEMPLATE]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the result is Markdown; pages are made of it without raw HTML
    )
    environment.filters |= {
        "number": lambda value: f"{value:,}",
        "text": markdown,
        "code": lambda value: f"`{value}`",
        "line": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
        "listing": _listing,
        "citations": _citations,
        "power": _power,
    }
    text = environment.get_template("methods.md").render(study=study, facts=facts, dataset=dataset)
    library = load(cited(text))
    references = as_list(library)
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(
        link_citations(text, references)
    )  # fmt: skip
    environment.autoescape = True
    page = environment.get_template("methods.html").render(
        title=f"Methods: {study['name']}", body=body, references=references
    )
    return Methods(text, library.to_string("bibtex"), page)


def _citations(families: Iterable[str]) -> str:
    """Cite the papers of model families, each once."""
    keys = dict.fromkeys(PAPERS[family] for family in families if family in PAPERS)
    return f"[{'; '.join(f'@{key}' for key in keys)}]"


def _power(exponent: float) -> str:
    """Write a power of ten."""
    if exponent != int(exponent):
        return f"{10**exponent:.3g}"
    return f"10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def _listing(values: Any) -> str:
    """Join words as a sentence does: a, b and c, or a, x; b; and c."""
    words = [str(value) for value in values]
    if len(words) < 2:
        return "".join(words)
    if any("," in word for word in words):
        return f"{'; '.join(words[:-1])}; and {words[-1]}"
    return f"{', '.join(words[:-1])} and {words[-1]}"
