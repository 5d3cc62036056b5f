"""Reads a configuration as strictly as it can be read, before Snakemake does.

python -m brainstruct.config.check --configfile FILE    (with ``workflow_scripts`` on the path)

Snakemake's own reader says of a file that is no YAML neither where nor why.
"""

import argparse
import sys
from collections.abc import Sequence

from brainstruct.config.files import add_configfile, study_of
from brainstruct.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what is wrong with a configuration; return the exit status.

    Other arguments are left to Snakemake: with ``--config`` among them it alone knows all
    of the study, so that only what files cannot be is said here.
    """
    parser = argparse.ArgumentParser(prog="brainstruct.config.check", allow_abbrev=False)
    add_configfile(parser)
    options, rest = parser.parse_known_args(arguments)
    try:
        study_of(options.configfile)
    except InputError as error:
        if {"--config", "-C"}.isdisjoint(rest) or error.where != "the configuration":
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
