"""The page that leads to the interactive maps."""

from collections.abc import Sequence
from html import escape
from shlex import quote

PORT = 8123
"""Where the pages are served, unless the reader chooses another port."""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>Interactive maps: {study}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; padding: 1.5rem; max-width: 45rem; font: 16px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 1.5rem; }}
code {{ display: block; padding: .6rem .8rem; border: 1px solid #8886; border-radius: 4px;
  overflow-wrap: anywhere; }}
</style>
<h1>Interactive maps: {study}</h1>
<p id="how">Browsers do not let a page that is opened as a file read its data, so serve the
folder first, from where the workflow is run:</p>
<code>python3 -m http.server --bind 127.0.0.1 --directory {folder} {port}</code>
<p>Then open a subject. Each has the winning instruction, the winning layer and the alignment of
every model, and the noise ceiling: choose in the list at the top left; drag to turn, scroll to
zoom; the controls at the top right fold and unfold the cortex.</p>
<ul>
{links}
</ul>
<script>
if (location.protocol.startsWith("http") && location.pathname.endsWith("/"))
  for (const link of document.querySelectorAll("li a"))
    link.href = link.dataset.folder;
</script>
</html>
"""


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
    return _PAGE.format(study=escape(study), folder=escape(quote(folder)), port=PORT, links=links)
