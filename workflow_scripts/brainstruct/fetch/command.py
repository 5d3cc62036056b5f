"""The command ``fetch_nsd``."""

import argparse
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brainstruct.config.files import add_configfile, study_of
from brainstruct.config.loading import load_study
from brainstruct.errors import InputError
from brainstruct.fetch.study import fetch_study
from brainstruct.store.resources import parser_beside

log = logging.getLogger("brainstruct")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = parser_beside(__file__, add_configfile)
    parser.add_argument("--connections", type=_positive, metavar="N", help="files at a time")
    options = parser.parse_args(arguments)

    def fetch() -> None:
        study = study_of(options.configfile)
        said = {
            "nsd_terms_accepted": options.i_accept_the_nsd_terms,
            "endpoint": options.endpoint,
            "connections": options.connections,
        }
        block = study.fetch.model_copy(update={key: value for key, value in said.items() if value})
        study = study.model_copy(update={"fetch": block})
        fetch_study(study, dry_run=options.dry_run, verify=options.verify)

    return _status_of(fetch)


def main_of_rule(config: Mapping[str, Any]) -> int:
    """Run with the configuration that Snakemake merged; return the exit status."""
    return _status_of(lambda: fetch_study(load_study(config)))


def _status_of(fetch: Callable[[], None]) -> int:
    """Fetch with a log on the terminal; return the exit status."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        fetch()
    except InputError as error:
        log.error("%s", error)
        return 1
    except KeyboardInterrupt:
        log.error("stopped; what has come is kept, the next start goes on from there")
        return 130
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is no number of connections")
    return number
