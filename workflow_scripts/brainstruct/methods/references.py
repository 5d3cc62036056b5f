"""Literature: the entries that a text cites, as BibTeX and as a formatted list."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pybtex.database import BibliographyData, Entry, parse_file
from pybtex.plugin import find_plugin

_REFERENCES = Path(__file__).parent / "template" / "references.bib"

_GROUP = re.compile(r"\[(@[a-z0-9]+(?:; @[a-z0-9]+)*)\]")


@dataclass(frozen=True)
class Reference:
    """An entry of the list."""

    key: str  # as in ``[@key]``
    short: str  # authors and year: ``Allen et al., 2022``
    html: str  # the whole entry


def cited(text: str) -> list[str]:
    """Return the keys that a text cites as ``[@key]`` or ``[@a; @b]``, in order, each once."""
    groups = _GROUP.findall(text)
    return list(dict.fromkeys(key.strip(" @") for group in groups for key in group.split(";")))


def load(keys: Iterable[str]) -> BibliographyData:
    """Read some entries of the project's bibliography; a `KeyError` if it lacks one."""
    entries = parse_file(str(_REFERENCES), bib_format="bibtex").entries
    return BibliographyData({key: entries[key] for key in keys})


def as_list(library: BibliographyData) -> list[Reference]:
    """Format entries, by author."""
    style = find_plugin("pybtex.style.formatting", "plain")()
    html = find_plugin("pybtex.backends", "html")()
    return [
        Reference(
            entry.key,
            _short(library.entries[entry.key]),
            entry.text.render(html).replace('<span class="bibtex-protected">', "<span>"),
        )
        for entry in style.format_bibliography(library)
    ]


def link_citations(text: str, references: Iterable[Reference]) -> str:
    """Replace ``[@a; @b]`` by authors and years, linked to the list, in Markdown."""
    short = {reference.key: reference.short for reference in references}

    def links(match: re.Match[str]) -> str:
        keys = [key.strip(" @") for key in match[1].split(";")]
        return f"({'; '.join(f'[{short[key]}](#{key})' for key in keys)})"

    return _GROUP.sub(links, text)


def _short(entry: Entry) -> str:
    people = entry.persons["author"]
    names = [
        " ".join(str(part) for part in (*person.rich_prelast_names, *person.rich_last_names))
        for person in people
    ]
    authors = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
    return f"{authors}, {entry.fields['year']}"
