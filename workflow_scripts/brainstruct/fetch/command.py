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

log = logging.getLogger("brainstruct")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)

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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fetch_nsd.py",
        description="Download the files of the Natural Scenes Dataset that a study reads, and no "
        "others, from its public bucket, and the captions from COCO. Interrupted downloads go on "
        "where they stopped; every file is compared with the server's size and checksum.",
        epilog="The exit status is 0 if all files are in place.",
    )
    add_configfile(parser)
    parser.add_argument(
        "--dry-run", "-n", action="store_true", help="list files and bytes; fetch nothing"
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="also compare the content of files that are already there (reads them all)",
    )
    parser.add_argument(
        "--i-accept-the-nsd-terms",
        action="store_true",
        help="say that you have accepted the NSD's data sharing and usage agreement "
        "(see naturalscenesdataset.org); or set fetch.nsd_terms_accepted in the configuration",
    )
    parser.add_argument("--endpoint", metavar="URL", help="another S3 server that has the bucket")
    parser.add_argument("--connections", type=_positive, metavar="N", help="files at a time")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is no number of connections")
    return number
