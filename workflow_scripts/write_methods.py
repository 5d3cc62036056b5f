"""Rule write_methods: what was done, as text to quote, from the provenance of the results."""

from typing import Any

from brainstruct.jobs.run import run_job
from brainstruct.methods.facts import Facts, model_facts, run_facts, subject_facts
from brainstruct.methods.page import write_methods
from brainstruct.store.arrays import open_dataset, provenance
from brainstruct.store.files import write_text


def methods(job: Any) -> None:
    """Open every result, read what it says of itself, and write the text."""
    study = job.params.study
    pairs = [tuple(pair) for pair in job.params.pairs]
    responses = [open_dataset(path) for path in job.input.responses]
    scores = dict(zip(pairs, map(open_dataset, job.input.scores), strict=True))
    winners = dict(zip(pairs, map(open_dataset, job.input.winners), strict=True))
    subjects = list(dict.fromkeys(subject for subject, _ in pairs))
    first = study["models"][0]["key"]
    origin = provenance(scores[subjects[0], first])
    facts = Facts(
        subjects=tuple(
            subject_facts(stored, scores[name, first], winners[name, first])
            for name, stored in zip(subjects, responses, strict=True)
        ),
        models=tuple(model_facts(scores[subjects[0], m["key"]], **m) for m in study["models"]),
        runs=run_facts(scores.values()),
        encoding=origin["encoding"] | {"seed": origin["seed"]},
    )
    text = write_methods(study, facts)
    write_text(text.markdown, job.output.markdown)
    write_text(text.bibtex, job.output.bibtex)
    write_text(text.html, job.output.html)


run_job(methods, globals().get("snakemake"))
