"""The command ``doctor``."""

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from brainstruct.config.files import add_configfile, study_of
from brainstruct.config.loading import load_study
from brainstruct.doctor.examination import examine
from brainstruct.doctor.finding import as_json, as_table, is_sound
from brainstruct.errors import InputError, Outcome
from brainstruct.store.faults import trouble_of
from brainstruct.store.resources import parser_beside


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = parser_beside(__file__, add_configfile).parse_args(arguments)
    packages = not options.no_packages
    return report(options.configfile, json=options.json, packages=packages, rooms=options.rooms)


def report(
    config: Mapping[str, Any] | Sequence[str],
    *,
    json: bool = False,
    packages: bool = True,
    rooms: Sequence[str] | None = None,
) -> int:
    """Examine a study and print what was found; return 0 if it can run, else 1. See `examine`.

    The study is given by its configuration, or by the files of one.
    """
    started = time.monotonic()
    try:
        study = load_study(config) if isinstance(config, Mapping) else study_of(config)
    except InputError as error:
        return _refuse(error, json)
    try:
        outcomes = examine(study, packages=packages, rooms=rooms)
    except OSError as error:  # of a look at names, before anything is opened
        if found := trouble_of(error):
            return _refuse(InputError(error.filename or study.study, *found), json)
        raise
    if json:
        print(as_json(study.study, outcomes))
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print(as_table(study.study, outcomes, time.monotonic() - started, width), flush=True)
    return 0 if is_sound(outcomes) else 1


def _refuse(error: InputError, json: bool) -> int:
    if json:
        outcome = Outcome("configuration")
        outcome.add("error", error.where, error.fault, error.cure)
        print(as_json("", [outcome]))
    else:
        print(error, file=sys.stderr)
    return 1
