"""Rule and command fetch_nsd: the files of the NSD that a study reads, and no others.

python workflow_scripts/fetch_nsd.py --help
"""

from typing import Annotated, Any

from brainstruct.fetch.command import main, main_of_rule
from brainstruct.jobs.binding import FromConfig, answer


def fetch_nsd(*, config: Annotated[dict[str, Any], FromConfig("")]) -> int:
    """Fetch what is missing; return the exit status."""
    return main_of_rule(config)


job = globals().get("snakemake")
if __name__ == "__main__":
    raise SystemExit(main() if job is None else answer(fetch_nsd, job))
