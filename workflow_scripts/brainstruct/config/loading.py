"""From the mapping that Snakemake merged to a checked `Study`."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from brainstruct.config.strict import Given, Place
from brainstruct.config.study import Study
from brainstruct.config.words import explained, problems_of
from brainstruct.errors import InputError
from brainstruct.settings.suggest import shown

CURE = "Mend the file given with --configfile; config/README.md explains every key"


def load_study(config: Mapping[str, Any], given: Sequence[Given] = ()) -> Study:
    """Validate what ``configfile:``, ``--configfile`` and ``--config`` gave together.

    Parameters
    ----------
    config : mapping
        All of it, merged.
    given : sequence of Given
        Files as they were read strictly, the last on top: mistakes of their writing are
        reported with those of their content, and each with its line.

    Raises
    ------
    InputError
        One message that lists every problem with its place and, for misspelt
        names, a suggestion.
    """
    found = {(place, text) for one in given for place, text in one.problems.items()}
    written = {place for place, _ in found}
    study, more = _validated(config)
    if more:
        places = {place for place, _ in more}
        # What refers to something wrong is looked at as if that were right: all at one time.
        _, others = _validated(_without(config, places))
        broken = [f"unknown name {shown(str(place[-1]))};" for place in places if place]
        more |= {
            (place, text)
            for place, text in others
            if not _within(place, places) and not any(map(text.startswith, broken))
        }
    found |= {(place, text) for place, text in more if not _within(place, written)}
    found = {(place, text) for place, text in found if not explained(place, text, found)}
    if study is not None and not found:
        return study
    lines = sorted((*_where(place, given), _sentence(place, text, config)) for place, text in found)
    listed = [f"{file}, line {line}: {text}" if file else text for file, line, text in lines]
    raise InputError(
        "the configuration",
        f"has {len(listed)} problem(s):\n  - " + "\n  - ".join(listed) + "\n",
        CURE,
    )


def settle_paths(config: Any, study: Study) -> None:
    """Write paths into the configuration, which jobs are given, as they were expanded."""
    for (*above, last), path in study.paths.items():
        block = _along(config, above)[-1]
        if last in block:
            block[last] = path


def _validated(config: Mapping[str, Any]) -> tuple[Study | None, set[tuple[Place, str]]]:
    """Return the study, or its problems and their places."""
    try:
        return Study.model_validate(dict(config)), set()
    except ValidationError as error:
        found = problems_of(error, Study)
    return None, {
        _resolved(text, config, place) for place, texts in found.items() for text in texts
    }


def _resolved(text: str, config: Mapping[str, Any], above: Place) -> tuple[Place, str]:
    """Find the setting that a sentence about several begins with, those of a block or of all."""
    names, colon, rest = text.partition(": ")
    place = list(above)
    inner = _along(config, above)[-1]
    if above and not (isinstance(inner, dict) and names.split(".")[0] in inner):
        return above, text
    for name in names.split(".") if colon else ():
        step = _step(inner, name)
        if step is None:
            return above, text
        place.append(step)
        inner = _along(inner, [step])[-1]
    return tuple(place), rest if place else text


def _step(inner: Any, name: str) -> str | int | None:
    """Return the key, or the number of the entry, that a name in a sentence stands for."""
    if isinstance(inner, list):
        return next((i for i, one in enumerate(inner) if _key(one) == name), None)
    known = isinstance(inner, dict) and (name in inner or " " not in name)  # or its default
    return name if known else None


def _without(config: Mapping[str, Any], places: Iterable[Place]) -> dict[str, Any]:
    """Return a configuration with the defaults at some places, or nothing where there are none."""
    from brainstruct.config.files import read_config  # which reads studies, too

    cleared, defaults = deepcopy(dict(config)), read_config()
    for place in places:
        *above, last = place or ("",)
        inner = _along(cleared, above)[-1]
        # Any entry of a list has what is right for an entry.
        default = _along(defaults, [part if isinstance(part, str) else 0 for part in above])[-1]
        try:
            del inner[last]
        except (KeyError, IndexError, TypeError):
            continue  # it lies in another that is cleared, or was missing
        if isinstance(inner, dict) and isinstance(default, dict) and last in default:
            inner[last] = default[last]
    return cleared


def _along(config: Any, place: Iterable[str | int]) -> list[Any]:
    """Return the configuration and what stands at each step into it; `None` where nothing does."""
    found = [config]
    for part in place:
        try:
            found.append(found[-1][part])
        except (KeyError, IndexError, TypeError):
            found.append(None)
    return found


def _within(place: Place, others: Iterable[Place]) -> bool:
    return any(place[: len(other)] == other or other[: len(place)] == place for other in others)


def _where(place: Place, given: Sequence[Given]) -> tuple[str, int]:
    """Return the file and line of a setting, or of the block that lacks it."""
    entry = next((at for at, part in enumerate(place) if isinstance(part, int)), 0)
    for length in range(len(place), 0, -1):
        for one in reversed(given):
            if length > entry > 0 and place[:entry] in one.lines:  # a list is all of one file
                if line := one.lines.get(place[:length]):
                    return one.path.name, line
                break
            if line := one.lines.get(place[:length]):
                return one.path.name, line
    return "", 0


def _sentence(place: Place, text: str, config: Mapping[str, Any]) -> str:
    """Return a problem behind the name of its setting; entries of lists go by their keys."""
    names = [
        part if isinstance(part, str) else _key(inner) or str(part + 1)
        for part, inner in zip(place, _along(config, place)[1:], strict=True)
    ]
    return f"{'.'.join(names)}: {text}" if names else text


def _key(entry: Any) -> str | None:
    """Return the name of an entry of a list of models."""
    key = entry.get("key") if isinstance(entry, dict) else None
    return key if isinstance(key, str) else None
