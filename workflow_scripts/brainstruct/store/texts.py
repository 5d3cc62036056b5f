"""Text is data in every language that it is put into: what a user or a model said stays literal.

One function for each language that has none of its own: HTML is ``html.escape`` (or jinja's
autoescape) of `visible`, arrays and sidecars are JSON.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_UNSEEN = ("Cc", "Cs", "Cn")
"""Categories of what no page and no picture can show: controls, halves of pairs, no characters."""

_MARKDOWN = re.compile(
    r"""[!"#$&'*+<>@\[\\\]^_`{|}~]"""
    r"|(?<!\w)-|-(?!\w)"  # dashes and lists; a hyphen within a word is one
    r"|\.(?=\.)|(?<=\d)[.)](?=\s)|^[=:]"  # ellipses, numbered lists, lines under headings
)


def unseen(text: str) -> list[str]:
    """Return the characters of a text that nothing can show; tabs and line ends are none."""
    return [one for one in text if unicodedata.category(one) in _UNSEEN and one not in "\t\n"]


def visible(text: str) -> str:
    """Put a replacement character where one cannot be shown."""
    return text.translate(dict.fromkeys(map(ord, unseen(text)), "\N{REPLACEMENT CHARACTER}"))


def markdown(text: str) -> str:
    """Write a text as Markdown that shows it, in one line: CommonMark's, GitHub's and pandoc's.

    Neither emphasis nor links, cells of tables, HTML, mathematics or citations come of it.
    """
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(visible(text).split()))


@contextmanager
def json_for_scripts() -> Iterator[None]:
    """Let JSON that other programs paste into scripts of pages end no script.

    Snakemake's report and pycortex's viewer write ``var x = {json}`` without a look at what is in
    it, and a browser ends a script at the first ``</script>``, or hides its end behind ``<!--``.
    The same JSON with ``<`` spelt out means the same to every reader.
    """
    dumps = json.dumps

    def spelt_out(*arguments: Any, **options: Any) -> str:
        return dumps(*arguments, **options).replace("<", "\\u003c")

    json.dumps = spelt_out
    try:
        yield
    finally:
        json.dumps = dumps
