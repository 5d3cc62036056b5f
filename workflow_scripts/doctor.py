"""Rule and command doctor: can the study run here? What is wrong, and its cure.

python workflow_scripts/doctor.py --help
"""

from typing import Annotated, Any

from brainstruct.doctor.command import main, report
from brainstruct.jobs.binding import FromConfig, answer


def doctor(*, config: Annotated[dict[str, Any], FromConfig("")], rooms: list[str] | None) -> int:
    """Print what was found; return the exit status."""
    return report(config, rooms=rooms)


job = globals().get("snakemake")
if __name__ == "__main__":
    raise SystemExit(main() if job is None else answer(doctor, job))
