"""All checks of a study, run side by side."""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from brainstruct.config.study import Study
from brainstruct.doctor.checkpoints import check_checkpoint
from brainstruct.doctor.environment import check_environment
from brainstruct.doctor.flatmaps import check_flatmaps
from brainstruct.doctor.machine import check_cluster, check_disk, check_folders, check_memory
from brainstruct.errors import Outcome

_THREADS = 16
"""Checks wait for disks, hardly ever for the processor."""


def examine(
    study: Study, *, packages: bool = True, rooms: Sequence[str] | None = None
) -> list[Outcome]:
    """Run all checks in the order of the work; `packages`, GPUs and memory only if asked."""
    used = dict.fromkeys(model.checkpoint for model in study.models)
    with ThreadPoolExecutor(_THREADS) as pool:
        environment = pool.submit(check_environment, study, rooms) if packages else None
        rest = [
            *(pool.submit(check_checkpoint, study, name) for name in used),
            pool.submit(check_flatmaps, study),
            pool.submit(check_folders, study),
            pool.submit(check_disk, study),
        ]
        return [
            *_data_set(study, pool),
            *(future.result() for future in rest),
            *(
                [check_memory(study), *check_cluster(study), *environment.result()]
                if environment is not None
                else []
            ),
        ]


def _data_set(study: Study, pool: Executor) -> list[Outcome]:
    if study.dataset.made_up:
        return [Outcome("data set", "written by this study")]
    return study.dataset.examine(study.wanted, pool)
