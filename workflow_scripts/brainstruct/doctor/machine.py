"""Whether results can be written, and what this machine, or its cluster, has room for."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from brainstruct.config.sense import REPOSITORY
from brainstruct.config.study import Study
from brainstruct.errors import Level, Outcome
from brainstruct.planning.amounts import Amounts
from brainstruct.planning.disk import embeddings, inputs, sum_up, unfinished, volumes
from brainstruct.store.faults import trouble_of
from brainstruct.store.files import existing
from brainstruct.store.resources import findings_beside
from brainstruct.workflow.models import DOWNLOADS
from brainstruct.workflow.requests import machine_mb

_said = findings_beside(__file__, "findings.toml")

_RULE = re.compile(r"^\s*(?:rule|checkpoint)\b[^\n]*:\s*$", re.MULTILINE)
_MEMORY = re.compile(r"mem_mb=(\d+)")
_THREADS = re.compile(r"threads: study\.(\w+)\.threads")
_SCRIPT = re.compile(r"workflow_scripts/(\w+)\.py")

LOOKS_EVERY = 180
"""Seconds between two looks at jobs, at most, of Snakemake's plugin for SLURM."""

_PATIENCE = 20.0  # seconds


def check_folders(study: Study) -> Outcome:
    """Try to write where the study will."""
    outcome = Outcome("write access")
    folders = [Path(study.results), Path(".snakemake")]
    used = {model.checkpoint for model in study.models}
    if any(study.checkpoints[name].path is None for name in used):
        folders.append(Path(DOWNLOADS))
    if study.dataset.made_up:
        folders.append(Path(study.dataset.root))
    for folder in folders:
        there = existing(folder)
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            fault, cure = trouble_of(error) or (f"({error.strerror})", "Get write access")
            cure = f"{cure}; or choose another place for {folder}"
            outcome.add("error", there, f"cannot be written to: {fault}", cure)
    outcome.checked = ", ".join(map(str, folders))
    return outcome


def check_disk(study: Study) -> Outcome:
    """Compare free space with what is to come, as the plan estimates it without its jobs.

    These are the embeddings, nearly all of a study's results, and what is missing
    of the data set and the checkpoints.
    """
    amounts = Amounts(study)
    outcome = Outcome("disk")
    seen = []
    states = embeddings(amounts)
    parts = [*chain.from_iterable(states.values()), *inputs(amounts, unfinished(states))]
    for volume in volumes(sum_up(parts)):
        need, free = volume.needed_bytes / 1e9, volume.free_bytes / 1e9
        seen.append(f"{need:.1f} GB to come under {volume.folder}, {free:.1f} GB free")
        if not volume.fits:
            outcome.add("error", volume.folder, *_said("no_room", need=need, free=free))
    outcome.checked = "; ".join(seen)
    return outcome


@dataclass(frozen=True)
class Asking:
    """What the jobs of a script ask for."""

    script: str
    memory_mb: int
    threads: int
    on_gpu: bool  # then the GPUs say how many run at once, not the cores


def check_memory(study: Study, *, rules: Path = REPOSITORY / "rules") -> Outcome:
    """Compare what rules ask for with this machine; all it finds are notes.

    Jobs on a cluster get what they ask for, whatever the login node has.
    """
    total, cores = machine_mb(), len(os.sched_getaffinity(0))
    outcome = Outcome("memory", f"{total / 1000:.0f} GB on this machine, {cores} cores")
    if study.synthetic is not None:  # small, whatever its rules ask for
        return outcome
    asked = sorted(askings(study, rules), key=lambda one: -one.memory_mb)
    if large := [one for one in asked if one.memory_mb > total]:
        outcome.add("note", "memory", *_said("too_large", jobs=_listed(large)))
    many = [
        one
        for one in asked
        if one not in large and not one.on_gpu and cores // one.threads * one.memory_mb > total
    ]
    if many:
        said = _said("side_by_side", cores=cores, jobs=_listed(many))
        outcome.add("note", "memory", *said)
    return outcome


def askings(study: Study, rules: Path) -> Iterator[Asking]:
    """Read what the rules of the workflow ask for; nothing where they are not beside the code."""
    for path in sorted(rules.glob("*.smk")):
        for block in _RULE.split(path.read_text(encoding="utf-8")):
            memory, script = _MEMORY.search(block), _SCRIPT.search(block)
            if memory and script:
                named = _THREADS.search(block)
                threads = int(getattr(study, named[1]).threads) if named else 1
                fits = bool(study.encoding.gpus) and "gpu=study.encoding.gpus" in block
                on_gpu = fits or "gpu=models.gpus" in block
                yield Asking(script[1], int(memory[1]), threads, on_gpu)


def _listed(asked: list[Asking]) -> str:
    return ", ".join(f"{one.script} ({one.memory_mb / 1000:.0f} GB)" for one in asked[:4])


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
