"""Makes the report of a study, finished or not, beside its results.

python -m brainstruct.planning.reporting --help
"""

import argparse
import os
import sys
from collections.abc import Sequence

from brainstruct.config.files import add_configfile, study_of
from brainstruct.errors import InputError


def main(arguments: Sequence[str]) -> None:
    """Make a report beside the results, by Snakemake, which takes the place of this process."""
    parser = argparse.ArgumentParser(
        prog="make report", description="The report of a study, finished or not."
    )
    add_configfile(parser)
    options, _ = parser.parse_known_args(arguments)
    try:
        study = study_of(options.configfile)
    except InputError as error:
        raise SystemExit(str(error)) from error
    report = f"{study.results.rstrip('/')}/report.html"
    command = [sys.executable, "-m", "snakemake", "--report", report, "--quiet", "all", *arguments]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main(sys.argv[1:])
