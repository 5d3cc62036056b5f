"""Rule write_methods: what was done, as text to quote, from the provenance of the results."""

from pathlib import Path
from typing import Any

from brainstruct.datasets.interface import DataSet
from brainstruct.jobs.run import script
from brainstruct.methods import page
from brainstruct.methods.facts import Facts, model_facts, run_facts, subject_facts
from brainstruct.store.arrays import open_dataset, provenance
from brainstruct.store.files import write_text


@script
def write_methods(
    *,
    responses: list[Path],
    scores: list[Path],
    winners: list[Path],
    words: dict[str, Any],
    dataset: DataSet,
    subject_models: list[tuple[str, str]],
    html: Path,
    markdown: Path,
    bibtex: Path,
) -> None:
    """Open every result, read what it says of itself, and write the text."""
    fitted = dict(zip(subject_models, map(open_dataset, scores), strict=True))
    won = dict(zip(subject_models, map(open_dataset, winners), strict=True))
    subjects = list(dict.fromkeys(subject for subject, _ in subject_models))
    first = words["models"][0]["key"]
    origin = provenance(fitted[subjects[0], first])
    smallest_p = float(fitted[subjects[0], first].attrs["smallest_p"])
    facts = Facts(
        subjects=tuple(
            subject_facts(stored, fitted[name, first], won[name, first])
            for name, stored in zip(subjects, map(open_dataset, responses), strict=True)
        ),
        models=tuple(model_facts(fitted[subjects[0], m["key"]], **m) for m in words["models"]),
        runs=run_facts(fitted.values()),
        encoding=origin["encoding"] | {"seed": origin["seed"], "smallest_p": smallest_p},
    )
    text = page.write_methods(words, facts, dataset)
    write_text(text.markdown, markdown)
    write_text(text.bibtex, bibtex)
    write_text(text.html, html)
