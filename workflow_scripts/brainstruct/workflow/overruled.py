"""Says which settings of a profile or command take away what rules ask of a cluster."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from brainstruct.settings.suggest import did_you_mean
from brainstruct.store.cuda import gpus_of
from brainstruct.workflow.requests import suits

_MOST = 3  # rules that a line shows


def overruled(workflow: Any, partitions: Sequence[Any] = ()) -> list[str]:
    """Return a line for each such setting; one job of each rule of the built graph is looked at.

    `partitions` are those that jobs are sent to; empty: not known.
    """
    said: dict[str, list[str]] = defaultdict(list)
    samples = {job.rule.name: job for job in workflow.dag.needrun_jobs(exclude_finished=False)}
    for name, job in sorted(samples.items()):
        if job.output and name not in workflow._localrules:
            for setting, effect in _overruled(job, partitions):
                said[setting].append(f"{name} {effect}")
    lines = []
    for setting, effects in said.items():
        more = f" and {len(effects) - _MOST} other rules likewise" if len(effects) > _MOST else ""
        lines.append(f"{setting}: {'; '.join(effects[:_MOST])}{more}.")
    return [*_unknown(workflow), *_attempts(workflow), *lines]


def _overruled(job: Any, partitions: Sequence[Any]) -> Iterator[tuple[str, str]]:
    has = dict(job.resources.items())
    cpus = int(has.get("cpus_per_task") or job.threads)
    if has.get("gpu") and "gpu" in str(has.get("gres", "")):
        yield (
            (
                "gpu and gres are both set, which the executor plugin refuses (set gpu: 0 where "
                "GPUs are given by gres)"
            ),
            "cannot be sent",
        )
    elif job.rule.resources.get("gpu") == 0 and not gpus_of(has) and _wants_gpu(job):
        yield "gpu is 0 and no gres asks for one", "gets no GPU"
    if per_cpu := has.get("mem_mb_per_cpu"):
        on = int(has.get("cpus_per_gpu") or 0) * gpus_of(has) or cpus
        if on * per_cpu != has.get("mem_mb"):
            effect = f"gets {on * per_cpu} MB, not {has.get('mem_mb')}"
            yield "mem_mb_per_cpu is asked for in place of mem_mb", effect
    if cpus != job.threads and not has.get("mpi"):
        yield "cpus_per_task is asked for in place of threads", f"gets {cpus}, not {job.threads}"
    if has.get("slurm_partition") is not None and partitions:
        partitions = [one for one in partitions if one.name == has["slurm_partition"]]
    if partitions and not any(suits(one, job.threads, has) for one in partitions):
        asked = f"{has.get('mem_mb')} MB, {has.get('runtime')} minutes, {job.threads} threads"
        gpus = f", {gpus_of(has)} GPU" if gpus_of(has) else ""
        yield "no partition of the partitions file gives what is asked for", f"({asked}{gpus})"


def _wants_gpu(job: Any) -> bool:
    """Whether the rule itself, without the profile, asks for a GPU."""
    asked = job.rule.ruleinfo.resources
    return bool(asked and asked[1].get("gpu"))


def _unknown(workflow: Any) -> Iterator[str]:
    """Name rules of the profile that this study has not."""
    known = sorted(rule.name for rule in workflow.rules)
    settings, groups = workflow.resource_settings, workflow.group_settings
    for option, named in (
        ("set-resources", settings.overwrite_resources),
        ("set-threads", settings.overwrite_threads),
        ("groups", groups.overwrite_groups if groups is not None else {}),
    ):
        for name in sorted(set(named) - set(known)):
            yield f"{option}: this study has no rule {name}.{did_you_mean(name, known)}"


def _attempts(workflow: Any) -> Iterator[str]:
    """Name settings that count attempts."""
    settings = workflow.resource_settings
    all_of = {"default-resources": settings._parsed_default_resources}
    all_of |= settings._parsed_overwrite_resources
    for where, resources in all_of.items():
        for name in ("mem_mb", "runtime"):
            if name in resources and "attempt" in str(resources[name].raw):
                yield (
                    f"{where}, {name}: attempt is always 1. A job that lacked memory or time is "
                    "sent again with twice as much, any other with the same."
                )
