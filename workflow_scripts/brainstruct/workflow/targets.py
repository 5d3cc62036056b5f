"""Names on the command line that this study does not have, each in one line.

Snakemake would take a file of any model for one that its rules can make, and end with a
traceback of whoever looks the model up; and it would say of a rule that it is no file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from brainstruct.config.study import NO_INSTRUCTION
from brainstruct.errors import InputError
from brainstruct.settings.suggest import did_you_mean, shown
from brainstruct.workflow.rooms import Rooms


def look_at_targets(workflow: Any, rooms: Rooms) -> None:
    """Let the names that were typed be looked at when rules are known, before jobs are."""
    from snakemake.exceptions import WorkflowError  # only who has Snakemake controls a run

    build = workflow._build_dag

    def look_and_build() -> None:
        dag = workflow.dag
        files = {*dag.targetfiles, *dag.forcefiles, *dag.untilfiles, *dag.omitfiles}
        try:
            require_known(sorted(files), workflow.rules, names_of(rooms))
        except InputError as error:
            raise WorkflowError(str(error)) from None
        build()

    workflow._build_dag = look_and_build


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


def require_known(files: list[str], rules: Any, known: Mapping[str, Collection[str]]) -> None:
    """Refuse a file that only another study has, and a rule that is none.

    Raises
    ------
    InputError
        Of the first; what else no rule makes is left to Snakemake.
    """
    patterns = [_pattern(str(path), known) for rule in rules for path in rule.products()]
    for file in files:
        matches = [found.groupdict() for one in patterns if (found := one.fullmatch(file))]
        wrong = [{name: value for name, value in match.items()
                  if name in known and value not in known[name]} for match in matches]  # fmt: skip
        if wrong and all(wrong):
            name, value = next(iter(wrong[0].items()))
            noun, names = name.replace("_", " "), list(known[name])
            raise InputError(
                file,
                f"this study has no {noun} {shown(value)}",
                f"Its {noun}s are {', '.join(names)}.{did_you_mean(value, names)}",
            )
        if not matches and "/" not in file:
            _require_rule(file, [rule.name for rule in rules])


def _require_rule(name: str, names: list[str]) -> None:
    kind = [one for one in names if one.startswith(f"{name}_")]
    near = did_you_mean(name, names)
    if kind or near:
        several = f"There are {', '.join(kind)}" if kind else near.strip()
        raise InputError(name, "is no rule of this study", several)


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
