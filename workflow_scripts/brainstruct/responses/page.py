"""A page of sample images with the answers of all models to all instructions.

One self-contained HTML file: no script, no font and no picture from elsewhere.
Whatever a model said is text, and is escaped.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from PIL import Image

TITLE = "What the models say"

EDGE = 320
"""Longest edge of a picture in the page, in pixels."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --soft: #5f5f5f; --paper: #fff;
  --line: #d5d5d5; --head: #f4f4f4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --soft: #a6a6a6;
  --paper: #161616; --line: #3c3c3c; --head: #222; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 80rem; background: var(--paper);
  color: var(--ink); font: 16px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .75rem; }
p { max-width: 45rem; }
.sample { display: grid; grid-template-columns: minmax(8rem, 16rem) 1fr; gap: 1.25rem;
  align-items: start; }
.sample img { width: 100%; height: auto; border-radius: 4px; position: sticky; top: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { border: 1px solid var(--line); padding: .4rem .6rem; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; min-width: 9rem; }
thead th { background: var(--head); }
tbody th { font-weight: normal; }
tbody th b { display: block; }
.soft { color: var(--soft); font-size: .85em; }
td { white-space: pre-line; }
@media (max-width: 48rem) { .sample { grid-template-columns: 1fr; }
  .sample img { position: static; max-width: 20rem; } }
@media print { .sample { break-inside: avoid; } .sample img { position: static; } }
"""


@dataclass(frozen=True)
class Sample:
    """An image of the page.

    Attributes
    ----------
    nsd_id : int
        Which, 0-based.
    image : PIL.Image.Image
        RGB.
    """

    nsd_id: int
    image: Image.Image


def choose_samples(nsd_ids: ArrayLike, n_samples: int, seed: int) -> list[int]:
    """Draw the images of the page, without looking at any answer.

    Parameters
    ----------
    nsd_ids : array_like of int
        Images that all models have answered to.
    n_samples : int
        How many; all if there are fewer.
    seed : int
        Of the draw.

    Returns
    -------
    list of int
        Ascending.
    """
    ids = np.unique(np.asarray(nsd_ids, dtype=np.int64))
    chosen = np.random.default_rng(seed).choice(ids, min(n_samples, len(ids)), replace=False)
    return [int(nsd_id) for nsd_id in np.sort(chosen)]


def responses_page(
    samples: Sequence[Sample],
    answers: Mapping[tuple[str, str], pd.DataFrame],
    instructions: Mapping[str, str],
    models: Mapping[str, str],
) -> str:
    """Write the page.

    Parameters
    ----------
    samples : sequence of Sample
        One section each.
    answers : mapping
        (model key, instruction key) -> table with ``nsd_id``, ``response``,
        ``n_tokens`` and ``truncated``. What is missing is shown as not asked.
    instructions : mapping
        Key -> text, in the order of the rows.
    models : mapping
        Key -> label, in the order of the columns.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    KeyError
        If a model was asked, but not about one of the samples.
    """
    rows = {key: table.set_index("nsd_id") for key, table in answers.items()}
    sections = "\n".join(_section(sample, rows, instructions, models) for sample in samples)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{TITLE}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{TITLE}</h1>
<p>{len(samples)} images drawn at random, {len(instructions)} instructions, {len(models)} models.
The states behind these words, averaged over the tokens of each answer, are what the
encoding models are fitted to. An answer marked as cut had reached the longest length allowed.</p>
{sections}
</main>
</body>
</html>
"""


def _section(
    sample: Sample,
    rows: Mapping[tuple[str, str], pd.DataFrame],
    instructions: Mapping[str, str],
    models: Mapping[str, str],
) -> str:
    name = f"Image {sample.nsd_id}"
    heads = "".join(f'<th scope="col">{escape(label)}</th>' for label in models.values())
    body = "\n".join(
        f'<tr><th scope="row"><b>{escape(key)}</b> {escape(text)}</th>'
        + "".join(_cell(rows.get((model, key)), sample.nsd_id) for model in models)
        + "</tr>"
        for key, text in instructions.items()
    )
    return f"""<section aria-labelledby="image-{sample.nsd_id}">
<h2 id="image-{sample.nsd_id}">{name}</h2>
<div class="sample">
<img src="{data_uri(sample.image)}" alt="{name} of the Natural Scenes Dataset">
<div class="scroll" tabindex="0" role="region" aria-label="Answers about image {sample.nsd_id}">
<table>
<caption>Answers about nsd_id {sample.nsd_id}</caption>
<thead><tr><th scope="col">Instruction</th>{heads}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>
</div>
</section>"""


def _cell(table: pd.DataFrame | None, nsd_id: int) -> str:
    if table is None:
        return '<td><span class="soft">not asked</span></td>'
    row = table.loc[nsd_id]
    if not row["n_tokens"]:
        return '<td><span class="soft">no answer</span></td>'
    text = "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}"
        for character in str(row["response"])
    )
    cut = ' <span class="soft">(cut)</span>' if row["truncated"] else ""
    return f"<td>{escape(text)}{cut}</td>"


def data_uri(image: Image.Image, edge: int = EDGE) -> str:
    """Return an image, made small, as the address of itself."""
    small = image.convert("RGB")
    small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    small.save(content, "JPEG", quality=85, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode("ascii")
