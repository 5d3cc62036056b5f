"""Whether the SLURM cluster that this is a login node of takes jobs as the profile sends them."""

import re
import shutil
import subprocess

from brainstruct.config.study import Study
from brainstruct.errors import Outcome

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
        outcome.add(
            "note", "scontrol", f"does not say how the cluster is set up ({text})",
            "Nothing of SLURM was checked; see that `scontrol show config` answers",
        )  # fmt: skip
        return [outcome]
    settings = dict(re.findall(r"^(\w+)\s*= ?(.*?)\s*$", said.stdout, re.MULTILINE))
    selects = settings.get("SelectType", "")
    outcome.checked = f"{settings.get('ClusterName', 'a cluster')}, {selects}"
    asks = study.embedding.device != "cpu" or study.encoding.backend == "torch_cuda"
    if asks and selects and "cons_tres" not in selects:
        outcome.add(
            "error" if study.embedding.device == "cuda" else "warning",
            "SLURM",
            f"hands out GPUs as --gres only (SelectType is {selects}): jobs that ask for them by "
            "--gpus are refused",
            "In profiles/slurm/config.yaml, set-resources of every rule with a GPU: gpu: 0 and "
            "gres: gpu:1 (an example stands there)",
        )
    age = re.match(r"\d+", settings.get("MinJobAge", ""))
    if age and 0 < int(age[0]) <= LOOKS_EVERY:
        outcome.add(
            "warning",
            "SLURM",
            f"forgets jobs {age[0]} s after their end (MinJobAge); Snakemake looks every "
            f"{LOOKS_EVERY} s, and would wait for them without end",
            "If sacct answers, set slurm-status-command: sacct in profiles/slurm/config.yaml; "
            "else ask the administrators for MinJobAge=300",
        )
    return [outcome]
