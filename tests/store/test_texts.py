from __future__ import annotations

import html
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from brainstruct.store.texts import json_for_scripts, markdown, unseen, visible
from hostile import HARMFUL, TEXTS

FORMS = ("{}\n", "| {} | b |\n|---|---|\n| {} | c |\n", "x ({} and {}), [@key]\n", "- {}\n")
"""Places of a document that texts are put into."""


def shown(source: str) -> tuple[list[str], set[str]]:
    """Return what a page made of Markdown says, element by element, and the elements."""
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(source)
    said = re.findall(r"<(?:p|t[hd]|li)>(.*?)</(?:p|t[hd]|li)>", page, re.S)
    return [html.unescape(part) for part in said], set(re.findall(r"<(\w+)", page))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", [*TEXTS, HARMFUL])
def test_markdown_shows_a_text_as_it_is(form, text):
    source = form.replace("{}", markdown(text))
    said, elements = shown(source)
    one_line = " ".join(text.split())
    assert sum(part.count(one_line) for part in said) == form.count("{}")
    assert elements <= {"p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert not re.search(r"(?<!\\)@(?!key\]\n)", source)  # pandoc cites nothing of it


@given(
    st.text(
        st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" \t\n<&\\`*_[]()#"),
        min_size=1,
    )
)
def test_markdown_shows_any_text(text):
    said, _ = shown(f"x{markdown(text)}x\n")
    assert said == [f"x{' '.join(text.split())}x"]


def test_words_stay_words_in_markdown():
    plain = "mPLUG-Owl 7B, of 2023; version 1.5 (half: 50 %)?"
    assert markdown(plain) == plain


@pytest.mark.parametrize("text", [*TEXTS, HARMFUL])
def test_json_for_scripts_says_the_same_and_ends_no_script(text):
    plain = json.dumps
    with json_for_scripts():
        written = json.dumps({text: [text]}, indent=1)
    assert "<" not in written
    assert json.loads(written) == {text: [text]}
    assert json.dumps is plain


def test_json_is_as_ever_after_a_failure():
    plain = json.dumps
    with pytest.raises(TypeError), json_for_scripts():
        json.dumps(object())
    assert json.dumps is plain


def test_what_cannot_be_shown_is_marked():
    assert visible("odd \x00 byte\x1b and \ud800") == "odd \ufffd byte\ufffd and \ufffd"
    kept = "tab\t line\n \N{BRAIN}\N{ZERO WIDTH JOINER} हिन्दी"
    assert visible(kept) == kept and unseen(kept) == []
