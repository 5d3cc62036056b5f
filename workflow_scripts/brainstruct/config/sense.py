"""Settings that are well written each, and make no sense together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from brainstruct.errors import InputError
from brainstruct.settings.suggest import unknown_name

if TYPE_CHECKING:
    from brainstruct.config.study import Study

REPOSITORY = Path(__file__).parents[3]

_OURS = frozenset(
    ("config", "docs", "envs", "profiles", "report", "rules", "slurm", "tests", "workflow_scripts")
)
"""Folders of a checkout that are not for results."""


def nonsense(study: Study) -> Iterator[str]:
    """Iterate over what contradicts itself, each as one sentence that begins with a setting."""
    yield from _instructions(study)
    yield from _labels(study)
    yield from _empty(study)
    for name in ("results", "embeddings_store"):
        if folder := getattr(study, name):
            yield from _folder(study, name, Path(folder).resolve())


def _instructions(study: Study) -> Iterator[str]:
    given = {model.key: study.instructions_of(model) for model in study.models
             if model.follows_instructions}  # fmt: skip
    asked = {key for keys in given.values() for key in keys}
    for key in study.instructions:
        if given and key not in asked:
            yield (
                f"instructions: no model is given '{key}'; take it out, or name it in a model's "
                "instructions"
            )
    reference = study.partition.reference
    several = [key for key, keys in given.items() if len(keys) > 1]
    if reference != "all" and several and not any(reference in given[key] for key in several):
        yield (
            f"partition.reference: '{reference}' is given to no model that has another instruction "
            f"too, so nothing could be partitioned; name one of {', '.join(sorted(asked))}, or all"
        )


def _labels(study: Study) -> Iterator[str]:
    for label, times in Counter(model.label for model in study.models).items():
        if times > 1:
            yield f"models: {times} have the label '{label}'; figures could not tell them apart"


def _empty(study: Study) -> Iterator[str]:
    """Name settings of folders that name none; rules that read none leave the data set's empty."""
    for place, path in study.paths.items():
        name = ".".join(place)
        if path == "":
            yield f"{name}: is empty; write the name of a folder"
        elif path and os.path.isfile(path):  # noqa: PTH113 - pathlib's raises where one may not look
            yield f"{name}: {path} is a file; write the folder that is meant"


def _folder(study: Study, name: str, folder: Path) -> Iterator[str]:
    root = Path(study.dataset.root).resolve()
    inside = folder.relative_to(REPOSITORY).parts if folder.is_relative_to(REPOSITORY) else ()
    if folder == Path(folder.anchor):
        yield f"{name}: is the root of the file system; write a folder of its own"
    elif study.dataset.root and (folder == root or folder.is_relative_to(root)):
        yield f"{name}: lies in the data set ({study.dataset.root}); write a folder outside of it"
    elif (
        name != "results" and study.results and folder.is_relative_to(Path(study.results).resolve())
    ):
        yield f"{name}: lies in the results ({study.results}); write a folder outside of them"
    elif folder in (REPOSITORY, Path.cwd()) or any(map(_is_ours, inside[:1])):
        yield f"{name}: {folder} is no folder of its own; write one, such as 'results'"


def _is_ours(name: str) -> bool:
    return name in _OURS or name.startswith(".")


def require_known_regions(study: Study) -> None:
    """Look whether masks and families of regions have names of files that are there.

    Nothing is said where there are none at all: the data set is to come.

    Raises
    ------
    InputError
        If there are others, and none of that name.
    """
    if study.dataset.made_up:
        return
    known = study.dataset.region_names(study.subjects)
    problems = [
        problem
        for setting, names in (("data.mask", [study.data.mask]), ("data.rois", study.data.rois))
        for problem in unknown_name(setting, names, known)
        if "Did you mean" in problem
    ]
    if known and problems:
        raise InputError("the configuration", "\n".join(problems), "Mend the name")
