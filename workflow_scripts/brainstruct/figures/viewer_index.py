"""The page that leads to the interactive maps."""

from collections.abc import Sequence
from html import escape
from shlex import quote
from string import Template

from brainstruct.store.resources import text_beside

PORT = 8123
"""Where the pages are served, unless the reader chooses another port."""


def viewer_index(subjects: Sequence[str], study: str, folder: str) -> str:
    """Write the page, given the subjects, each with a folder of its name beside it.

    Its links lead to `PORT` of the reader's machine, also out of a report that
    carries the page; where the page itself is served, they lead to its
    neighbours. `folder` is the page's, as a reader would type it.
    """
    links = "\n".join(
        f'<li><a target="_blank" href="http://localhost:{PORT}/{subject}/" '
        f'data-folder="{subject}/">{subject}</a></li>'
        for subject in subjects
    )
    page = Template(text_beside(__file__, "viewer_index.html"))
    return page.substitute(
        study=escape(study), folder=escape(quote(folder)), port=PORT, links=links
    )
