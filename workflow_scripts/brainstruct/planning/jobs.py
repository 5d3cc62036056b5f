"""The jobs of a study, as Snakemake lists them in a dry run."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainstruct.errors import InputError
from brainstruct.store.cuda import gpus_of

_GENERATED = ("fit_ridge", "embed", "build_tiny_checkpoint", "plant_features", "write_synthetic")
"""Rules that the workflow generates several of, each with a suffix."""

_ITEM = re.compile(r"^    (\w+): (.*)$", re.MULTILINE)
_JOB = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?:    \w+: .*\n?)*)", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """One job, with the cores, GPUs, MB of memory and minutes that it asks for (0: none)."""

    rule: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    wildcards: Mapping[str, str] = field(default_factory=dict)
    threads: int = 1
    gpus: int = 0
    memory_mb: float = 0.0
    minutes: float = 0.0

    @property
    def kind(self) -> str:
        """What it does: its rule, or what generated rules have in common."""
        return next((name for name in _GENERATED if self.rule.startswith(f"{name}_")), self.rule)


def read_dry_run(text: str) -> list[Job]:
    """Read the jobs that write something from what ``snakemake --dry-run`` prints."""
    found = [(header[1], dict(_ITEM.findall(header[2]))) for header in _JOB.finditer(text)]
    return [_job(rule, items) for rule, items in found if "output" in items]


def _job(rule: str, items: Mapping[str, str]) -> Job:
    resources = _pairs(items.get("resources", ""))
    return Job(
        rule=rule,
        inputs=_names(items.get("input", "")),
        outputs=_names(items["output"]),
        wildcards=_pairs(items.get("wildcards", "")),
        threads=int(items.get("threads", "1")),
        gpus=gpus_of(resources),
        memory_mb=float(resources.get("mem_mb", "0")),
        minutes=float(resources.get("runtime", "0")),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(", ")) if text else ()


def _pairs(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(", ") if "=" in part)


def dry_run(snakefile: str, config: Mapping[str, Any], *, everything: bool) -> list[Job]:
    """List the jobs of a study; neither its data nor a lock on its folder is needed.

    Unless `everything` is wanted, they are those whose results are missing or out of date.
    An `InputError` if the workflow cannot be shown with this configuration.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--snakefile", snakefile, "--dry-run"]
        # As many cores as any job may ask for: threads are cut to what there is.
        command += ["--cores", "100000", "--nolock", "--configfile", str(path)]
        command += ["--forceall"] if everything else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InputError(
            snakefile,
            f"cannot be shown with this configuration:\n{(done.stdout + done.stderr)[-2000:]}\n",
            "Run 'snakemake --dry-run' with the same options and mend what it reports",
        )
    return read_dry_run(done.stdout + done.stderr)
