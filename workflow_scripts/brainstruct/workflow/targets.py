"""Names on the command line that this study does not have, each in one line.

Snakemake would take a file of any model for one that its rules can make, and end with a
traceback of whoever looks the model up; and it would say of a rule that it is no file.
"""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from brainstruct.config.study import NO_INSTRUCTION
from brainstruct.errors import InputError
from brainstruct.settings.suggest import did_you_mean, shown
from brainstruct.workflow.rooms import Rooms


def names_of(rooms: Rooms) -> dict[str, Collection[str]]:
    """Return wildcard -> what it may be in this study."""
    study = rooms.data.study
    return {
        "subject": study.subjects,
        "model": [model.key for model in study.models],
        "instruction": [*study.instructions, NO_INSTRUCTION],
        "checkpoint": study.checkpoints,
        "image_set": rooms.data.image_sets,
        "block": rooms.data.blocks,
        "participant": rooms.exports.participants,
    }


def require_known(files: Collection[str], rules: Collection[Any], rooms: Rooms) -> None:
    """Refuse a file that only another study has, and a rule that is none, by an `InputError`.

    Files beside the results are another workflow's, whose words mean something else; what else
    no rule makes is left to Snakemake.
    """
    names, known = [rule.name for rule in rules], names_of(rooms)
    products = [str(path) for rule in rules for path in rule.products() if files]
    patterns = [_pattern(path, known) for path in products]
    for file in files:
        matches = [found.groupdict() for one in patterns if (found := one.fullmatch(file))]
        wrong = [{name: value for name, value in match.items()
                  if name in known and value not in known[name]} for match in matches]  # fmt: skip
        if wrong and all(wrong) and file.startswith(f"{rooms.data.root}/"):
            name, value = next(iter(wrong[0].items()))
            noun, has = name.replace("_", " "), list(known[name])
            fault = f"this study has no {noun} {shown(value)}"
            cure = f"Its {noun}s are {', '.join(has)}.{did_you_mean(value, has)}"
            raise InputError(file, fault, cure)
        near = [name for name in names if name.startswith(f"{file}_")]
        if matches or Path(file).is_file():
            continue
        if near := near or get_close_matches(file, names):
            raise InputError(file, "is no rule of this study", f"There is {', '.join(near)}")


def _pattern(path: str, known: Mapping[str, Collection[str]]) -> re.Pattern[str]:
    """Return what matches an output of a rule, whatever its wildcards are."""
    from snakemake.io import regex_from_filepattern

    seen: set[str] = set()

    def free(found: re.Match[str]) -> str:
        name = found[1]
        if name in seen:
            return f"{{{name}}}"
        seen.add(name)
        # What is known first: the rest of the name may have the same letters.
        return f"{{{name},{'|'.join([*map(re.escape, known.get(name, ())), '[^/]+?'])}}}"

    return re.compile(regex_from_filepattern(re.sub(r"\{(\w+)[^{}]*\}", free, path)))
