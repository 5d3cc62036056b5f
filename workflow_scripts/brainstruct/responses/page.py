"""A page of sample images with the answers of all models to all instructions.

One self-contained HTML file: no script, no font and no picture from elsewhere.
Whatever a model said is text, and is escaped.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from string import Template

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from PIL import Image

from brainstruct.store.resources import text_beside
from brainstruct.store.texts import visible

_PAGE, _SECTION, _PROMPTS, _STYLE = (
    text_beside(__file__, name)
    for name in ("page.html", "section.html", "prompts.html", "page.css")
)

_EDGE = 320
"""Longest edge of a picture in the page, in pixels."""


@dataclass(frozen=True)
class Sample:
    """An image of the page, and its id."""

    stimulus: int
    image: Image.Image


def choose_samples(stimuli: ArrayLike, n_samples: int, seed: int) -> list[int]:
    """Draw the images of the page, without looking at any answer.

    Of images that all models have answered to, `n_samples` (or all, if there are
    fewer), in ascending order.
    """
    ids = np.unique(np.asarray(stimuli, dtype=np.int64))
    chosen = np.random.default_rng(seed).choice(ids, min(n_samples, len(ids)), replace=False)
    return [int(stimulus) for stimulus in np.sort(chosen)]


def responses_page(
    samples: Sequence[Sample],
    answers: Mapping[tuple[str, str], pd.DataFrame],
    prompts: Mapping[tuple[str, str], str],
    instructions: Mapping[str, str],
    models: Mapping[str, str],
    id_name: str,
) -> str:
    """Write the page, with a section for each sample.

    Answers are (model key, instruction key) -> table with ids, ``response``, ``n_tokens``,
    ``truncated`` and, of models that think, ``thinking_share``; what is missing is shown as not
    asked. Prompts are what each answered to, empty where it was not kept. Instructions are key ->
    text, in the order of the rows; models key -> label, in the order of the columns. `id_name` is
    what ids are called: to readers, and as a column of the tables. A `KeyError` if a model was
    asked, but not about one of the samples.
    """
    rows = {key: table.set_index(id_name) for key, table in answers.items()}
    sections = "\n".join(
        _section(sample, rows, instructions, models, id_name) for sample in samples
    )
    return Template(_PAGE).substitute(
        style=_STYLE,
        n_samples=len(samples),
        n_instructions=len(instructions),
        n_models=len(models),
        prompts=_prompts(prompts, models),
        sections=sections,
    )


def _prompts(prompts: Mapping[tuple[str, str], str], models: Mapping[str, str]) -> str:
    """Return a list of prompts that opens; nothing if none was kept."""
    rows = [
        f'<tr><th scope="row">{escape(models[model])}</th><td>{escape(instruction)}</td>'
        f"<td>{escape(visible(text))}</td></tr>"
        for (model, instruction), text in prompts.items()
        if text
    ]
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{one}</th>' for one in ("Model", "Instruction", "Prompt"))
    return Template(_PROMPTS).substitute(heads=heads, rows="\n".join(rows))


def _section(
    sample: Sample,
    rows: Mapping[tuple[str, str], pd.DataFrame],
    instructions: Mapping[str, str],
    models: Mapping[str, str],
    id_name: str,
) -> str:
    heads = "".join(f'<th scope="col">{escape(label)}</th>' for label in models.values())
    body = "\n".join(
        f'<tr><th scope="row"><b>{escape(key)}</b> {escape(text)}</th>'
        + "".join(_cell(rows.get((model, key)), sample.stimulus) for model in models)
        + "</tr>"
        for key, text in instructions.items()
    )
    return Template(_SECTION).substitute(
        id=sample.stimulus,
        id_name=escape(id_name),
        picture=data_uri(sample.image),
        heads=heads,
        body=body,
    )


def _cell(table: pd.DataFrame | None, stimulus: int) -> str:
    if table is None:
        return '<td><span class="soft">not asked</span></td>'
    row = table.loc[stimulus]
    share = row.get("thinking_share")
    thought = f" ({100 * share:.0f} % thinking)" if share else ""
    if not row["n_tokens"]:
        return f'<td><span class="soft">no answer{thought}</span></td>'
    notes = (" (cut)" if row["truncated"] else "") + thought
    soft = f'<span class="soft">{notes}</span>' if notes else ""
    return f"<td>{escape(visible(str(row['response'])))}{soft}</td>"


def data_uri(image: Image.Image) -> str:
    """Return an image, made small, as the address of itself."""
    small = image.convert("RGB")
    small.thumbnail((_EDGE, _EDGE), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    small.save(content, "JPEG", quality=85, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode("ascii")
