"""Where a text stops being YAML, and why, in plain words."""

import re

import yaml

_SAYINGS = (
    (r"found character '\\t'", "a tab stands where YAML wants blanks; write blanks"),
    (r"found character '(.)' that cannot start", "text that begins so must stand in quotes"),
    (r"mapping values are not allowed", ""),
    (r"could not find expected ':'", "a line without ': '; every setting is 'name: value'"),
    (r"expected <block end>", "it is indented unlike its neighbours; align it with them"),
    (r"expected '<document start>'", "what stands above is no setting; every setting is "
     "'name: value'"),
    (r"expected ',' or|expected the node content", "brackets are not closed, a comma is missing, "
     "or text in them needs quotes"),
    (r"unknown escape character|escape sequence", "a backslash means something else in \"\"; write "
     "''"),
    (r"quoted scalar", "a quote is not closed"),
    (r"undefined alias", "text that begins with * must stand in quotes"),
    (r"scanning an? (alias|anchor)", "text that begins with * or & must stand in quotes"),
    (r"could not determine a constructor|found undefined tag|parsing a tag|scanning a tag"
     r"|scanning a simple tag|expected URI", "text that begins with ! must stand in quotes"),
    (r"expected a single document", "'---' begins a second document; all settings belong in one"),
    (r"special characters are not allowed|unacceptable character", "it has a character that no "
     "text file should have; write the file anew as plain UTF-8"),
)  # fmt: skip
_BEFORE_THE_END = r"scanning a simple key|scanning a quoted scalar .*unexpected end"
"""What PyYAML finds at the end of something, and is wrong where that begins."""


def syntax_fault(error: yaml.YAMLError, text: str) -> str:
    """Return place and reason as one sentence."""
    said = " ".join(str(error).split())
    begun, mark = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
    if begun and (not mark or re.search(_BEFORE_THE_END, said)):
        mark = begun
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    if not mark and isinstance(position := getattr(error, "position", None), int):
        where = f"line {text.count(chr(10), 0, position) + 1}: "
    words = next((words for sign, words in _SAYINGS if re.search(sign, said)), None)
    if words is None:
        return where + (getattr(error, "problem", None) or said)
    before = text[mark.index - mark.column : mark.index].strip() if mark else ""
    if not words:
        words = (
            "a second ': ' in a line; put text with ': ' in quotes"
            if ": " in before
            else "settings at unlike distances from the margin, or no ': ' in the line above"
        )
    elif "<block end>" in said and before:
        words = "text goes on behind a bracket or quote that is closed; put all of it in quotes"
    elif words.startswith("brackets") and begun and mark and begun.line != mark.line:
        words = words.replace("brackets", f"brackets that begin in line {begun.line + 1}", 1)
    return where + words
