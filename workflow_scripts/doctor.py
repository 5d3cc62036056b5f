"""Rule and command doctor: can the study run here? What is wrong, and its cure.

python workflow_scripts/doctor.py --help
"""

from brainstruct.doctor.command import main, report

job = globals().get("snakemake")
if __name__ == "__main__":
    raise SystemExit(main() if job is None else report(job.config, rooms=job.params.rooms))
