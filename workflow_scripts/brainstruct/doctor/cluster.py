"""Whether the SLURM cluster that this is a login node of takes jobs as the profile sends them."""

import re
import shutil
import subprocess

from brainstruct.config.study import Study
from brainstruct.errors import Level, Outcome
from brainstruct.store.resources import findings_beside

_said = findings_beside(__file__, "findings.toml")

LOOKS_EVERY = 180
"""Seconds between two looks at jobs, at most, of Snakemake's plugin for SLURM."""

_PATIENCE = 20.0  # seconds


def check_cluster(study: Study) -> list[Outcome]:
    """Ask SLURM how it is set up; nothing where there is none."""
    if shutil.which("scontrol") is None:
        return []
    outcome = Outcome("SLURM")
    try:
        said = subprocess.run(
            ["scontrol", "show", "config"], capture_output=True, text=True, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        said = None
    if said is None or said.returncode != 0:
        text = "no answer" if said is None else (said.stderr.strip().splitlines() or ["?"])[-1]
        outcome.add("note", "scontrol", *_said("no_answer", text=text))
        return [outcome]
    settings = dict(re.findall(r"^(\w+)\s*= ?(.*?)\s*$", said.stdout, re.MULTILINE))
    selects = settings.get("SelectType", "")
    outcome.checked = f"{settings.get('ClusterName', 'a cluster')}, {selects}"
    asks = study.embedding.device != "cpu" or study.encoding.gpus > 0
    if asks and selects and "cons_tres" not in selects:
        level: Level = "error" if study.embedding.device == "cuda" else "warning"
        outcome.add(level, "SLURM", *_said("gres", selects=selects))
    age = re.match(r"\d+", settings.get("MinJobAge", ""))
    if age and 0 < int(age[0]) <= LOOKS_EVERY:
        outcome.add("warning", "SLURM", *_said("forgets", age=age[0], every=LOOKS_EVERY))
    return [outcome]
