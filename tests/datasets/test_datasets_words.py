"""The NSD's words and numbers stand in its own room, and where the package meets it."""

from __future__ import annotations

import re
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "workflow_scripts"

WORDS = re.compile(
    r"\bnsd|nsd_|_nsd|subj0\d|coco|73[_,]?000|73k|\b750\b|\b425\b|\b9[_,]?000\b|func1|imgbrick"
    r"|betas_session|expdesign|stim_info",
    re.I,
)

MEETS = {
    "fetch_nsd.py": "the command",
    "plant_features.py": "writes a data set in the NSD's formats",
    "write_synthetic_stimuli.py": "the same",
    "write_synthetic_subject.py": "the same",
    "write_synthetic_surfaces.py": "the same",
    "brainstruct/config/data.py": "its settings stand in the block of data",
    "brainstruct/config/fetch.py": "settings of the command",
    "brainstruct/config/study.py": "a data set that the workflow writes is in its formats",
    "brainstruct/config/synthetic.py": "the same",
    "brainstruct/datasets/opening.py": "finds it by its name",
    "brainstruct/encoding/ceiling.py": "source of a formula",
    "brainstruct/fetch/command.py": "the command",
    "brainstruct/fetch/command.toml": "its words",
    "brainstruct/fetch/study.py": "what the command does",
    "brainstruct/figures/family_labels.toml": "how regions are called in figures",
    "brainstruct/workflow/module.py": "knows the names of commands",
    "brainstruct/workflow/synthetic.py": "a data set that the workflow writes is in its formats",
}
"""File -> why it may."""


def files() -> dict[str, str]:
    texts = {".py", ".toml", ".md", ".css"}
    found = (path for path in SCRIPTS.rglob("*") if path.suffix in texts)
    return {
        path.relative_to(SCRIPTS).as_posix(): path.read_text(encoding="utf-8")
        for path in found
        if not path.is_relative_to(SCRIPTS / "brainstruct/datasets/nsd")
    }


def test_words_of_the_nsd_stand_in_its_room():
    said = {
        f"{name}:{number}: {line.strip()}"
        for name, text in files().items()
        if name not in MEETS
        for number, line in enumerate(text.splitlines(), 1)
        if WORDS.search(line)
    }
    assert said == set()


def test_whoever_may_say_them_does():
    silent = {name for name in MEETS if not WORDS.search(files().get(name, ""))}
    assert silent == set()
