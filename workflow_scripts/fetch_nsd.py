"""Rule and command fetch_nsd: the files of the NSD that a study reads, and no others.

python workflow_scripts/fetch_nsd.py --help
"""

from brainstruct.fetch.command import main, main_of_rule

job = globals().get("snakemake")
if __name__ == "__main__":
    raise SystemExit(main() if job is None else main_of_rule(job.config))
