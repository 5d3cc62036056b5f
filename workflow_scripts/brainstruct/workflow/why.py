"""Why jobs run again, in the words of the configuration: what a setting was, and what it is."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from brainstruct.store.ledger import Entry
from brainstruct.workflow.records import Records

LONGEST = 60  # characters of a value that are shown
MOST = 12  # reasons that are told
_ABSENT = object()


def reasons(dag: Any, records: Records) -> list[str]:
    """Return a line for each setting because of which jobs of a graph run again."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for job in dag.needrun_jobs(False):
        if not dag.reason(job).params_changed:
            continue
        entry = records.ledger.entries.get(records.places.name(str(next(iter(job.output)))))
        if entry is not None:
            now = dict(job.params.items())
            for sentence in changes(_read(entry, records), now):
                found[sentence][job.rule.name] += 1
    lines = [
        f"  {sentence} ({', '.join(f'{rule}: {count}' for rule, count in rules.most_common(3))}"
        f"{', ...' if len(rules) > 3 else ''})"
        for sentence, rules in sorted(found.items(), key=lambda pair: -pair[1].total())
    ]
    if len(lines) > MOST:
        lines = [*lines[:MOST], f"  and {len(lines) - MOST} more"]
    return ["Settings that differ from those that results were made with:", *lines] if lines else []


def again(dag: Any, records: Records) -> list[str]:
    """Say what embeddings that were discarded cost, if a graph makes them again."""
    seconds, files = 0.0, 0
    for job in dag.needrun_jobs(False):
        names = [records.places.name(str(path)) for path in job.output]
        back = [name for name in names if name in records.ledger.discarded]
        if back:
            files += len(back)
            seconds += records.ledger.entries[back[0]].seconds
    if not files:
        return []
    took = timedelta(seconds=round(seconds))
    return [f"Embedded again, having been discarded: {files} files; jobs took {took} for them."]


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say what differs between two sets of parameters, the deepest part that does.

    >>> changes({"encoding": {"folds": 5}}, {"encoding": {"folds": 4}})
    ['encoding.folds was 5, is 4']
    """
    return list(_differences("", before, now))


def _differences(name: str, before: Any, now: Any) -> Iterator[str]:
    if before == now:
        return
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*before, *now]):
            inner = f"{name}.{key}" if name else str(key)
            yield from _differences(inner, before.get(key, _ABSENT), now.get(key, _ABSENT))
    elif now is _ABSENT:
        yield f"{name} was {_shown(before)}, is gone"
    elif before is _ABSENT:
        yield f"{name} is new: {_shown(now)}"
    else:
        yield f"{name} was {_shown(before)}, is {_shown(now)}"


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _read(entry: Entry, records: Records) -> dict[str, Any]:
    return {
        name: ast.literal_eval(records.places.paths_in(value))
        for name, value in entry.params.items()
    }
