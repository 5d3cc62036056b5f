"""The memory of this machine against what jobs ask for, each alone and side by side."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brainstruct.config.sense import REPOSITORY
from brainstruct.config.study import Study
from brainstruct.errors import Outcome
from brainstruct.store.resources import findings_beside
from brainstruct.workflow.requests import machine_mb

_said = findings_beside(__file__, "findings.toml")

_RULE = re.compile(r"^\s*(?:rule|checkpoint)\b[^\n]*:\s*$", re.MULTILINE)
_MEMORY = re.compile(r"mem_mb=(\d+)")
_THREADS = re.compile(r"threads: study\.(\w+)\.threads")
_SCRIPT = re.compile(r"workflow_scripts/(\w+)\.py")


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
                yield Asking(script[1], int(memory[1]), threads, "gpu=models.gpus" in block)


def _listed(asked: list[Asking]) -> str:
    return ", ".join(f"{one.script} ({one.memory_mb / 1000:.0f} GB)" for one in asked[:4])
