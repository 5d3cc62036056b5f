"""Texts that some language takes for its own: labels, tasks, instructions, answers."""

from __future__ import annotations

TEXTS = (
    "</script><script>window.HACKED=1</script>",
    "<svg onload=window.HACKED=1>",
    "<img src=x onerror=window.HACKED=1>",
    "<img src=/etc/hostname>",
    "<!-- <script>",
    "]]> --> </style></title></textarea>",
    "Costs $5 or $6, a_b^c",
    r"\n is no new line \alpha \\ \u003c",
    "{braces} {{ 7*7 }} {% raw %} ${HOME} %s %(x)s",
    "@key [@key] [@oota2025] [^1]",
    "*emph* _x_ __y__ ~z~ |pipe| |substitution| `code`",
    ":raw-html:`<b>x</b>` .. raw:: html",
    "\"double\" and 'single'",
    "a tab\there, and\na line",
    "中文 한국어 العربية हिन्दी ελληνικά русский \N{BRAIN}\N{ZERO WIDTH JOINER}",
    "W" * 200,
    "=1+1",
    "-x",
    "# head",
    "1. one",
    "+ plus ===",
    "> quoted -- ... &amp; &lt;b&gt;",
    "http://example.org/ <http://example.org>",
    "_hidden",
    "n/a",
)

HARMFUL = " ".join(TEXTS)
"""All of them in one."""
