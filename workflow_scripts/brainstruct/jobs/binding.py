"""From what Snakemake hands to a job to the arguments of the function behind its rule.

Snakemake records plain built-in values only, so rules pass nothing else; the annotation of an
argument says what they become: paths, dataclasses, blocks of the configuration.
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, ValidationError, validate_call

from brainstruct.errors import InputError
from brainstruct.store.cuda import gpus_of

RECORDED = frozenset({"code", "contents", "precision"})
"""Parameters that make a job run again when they change; a function may ignore them."""


@dataclass(frozen=True)
class FromConfig:
    """Marks an argument, by ``Annotated[int, FromConfig(...)]``, as a setting of the study.

    For what changes how a job runs and never what comes out: a parameter of the
    rule would make finished jobs run again.
    """

    key: str  # where it stands, such as embedding.batch_size; empty: all of it


def bind(function: Callable[..., object], job: Any) -> dict[str, Any]:
    """Return the arguments of the function behind a rule.

    It takes named, annotated ones: the rule's named inputs, outputs and parameters; wildcards
    (unless one of those has the same name); ``threads``; ``gpus``, how many it asks for; and
    settings marked `FromConfig`. Inputs and outputs without a name are no arguments: they are
    found by their place in the data set. An `InputError` if a name is missing or left over, or a
    value is not of the annotated type.
    """
    hints = get_type_hints(function, include_extras=True)
    given = {"threads": job.threads, "gpus": gpus_of(job.resources), **dict(job.wildcards.items())}
    files = [*job.input.items(), *job.output.items()]
    given |= {name: _absent_or_alone(value, hints.get(name)) for name, value in files}
    given |= dict(job.params.items())
    given |= {
        name: _setting(job.config, mark.key)
        for name, hint in hints.items()
        for mark in get_args(hint)
        if isinstance(mark, FromConfig)
    }
    asked = inspect.signature(function).parameters
    optional = RECORDED | {"threads", "gpus"} | dict(job.wildcards.items()).keys()
    given = {name: value for name, value in given.items() if name in asked or name not in optional}
    try:
        return _validated(function, given)
    except ValidationError as error:
        faults = "; ".join(_sentences(error))
        raise InputError(
            f"rule {job.rule}",
            f"does not fit {function.__name__} of its script: {faults}",
            "Bring the rule's input, output and params and the function's arguments together",
        ) from None


def answer(function: Callable[..., int], job: Any) -> int:
    """Run the function of a rule that only asks; return the exit status.

    It has no log: what it says goes to the terminal, the one line of a mismatch too.
    """
    try:
        return function(**bind(function, job))
    except InputError as error:
        print(error, file=sys.stderr)
        return 1


def _validated(function: Callable[..., object], given: Mapping[str, Any]) -> dict[str, Any]:
    @wraps(function)
    def arguments(**values: Any) -> dict[str, Any]:
        return values

    options = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    validated: dict[str, Any] = validate_call(config=options)(arguments)(**given)
    return validated


def _absent_or_alone(value: Any, hint: Any) -> Any:
    """Take a file out of its list: functions of a rule give lists where a file may be absent."""
    if not isinstance(value, list) or len(value) > 1 or get_origin(hint) is list:
        return value
    return value[0] if value else None


def _setting(config: Mapping[str, Any], key: str) -> Any:
    found: Any = config
    for part in filter(None, key.split(".")):
        if part not in found:
            raise InputError("the configuration", f"lacks {key}", "Name it as config.yaml does")
        found = found[part]
    return found


def _sentences(error: ValidationError) -> Iterator[str]:
    for one in error.errors(include_url=False):
        where = ".".join(map(str, one["loc"]))
        if one["type"] in ("missing_keyword_only_argument", "missing_argument"):
            yield f"{where} is missing"
        elif one["type"] == "unexpected_keyword_argument":
            yield f"{where} is not asked for"
        else:
            yield f"{where}: {one['msg']}, got {one['input']!r}"
