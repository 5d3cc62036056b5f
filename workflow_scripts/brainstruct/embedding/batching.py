"""Runs batches through a model, in smaller ones if memory runs out, a GPU's or the machine's."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch

from brainstruct.errors import InputError
from brainstruct.models.interface import Batch, FeatureModel, Features
from brainstruct.store.faults import lack_of_memory

log = logging.getLogger(__name__)


class Forward:
    """A model whose batch size adapts to the memory there is; once halved it stays so."""

    def __init__(self, model: FeatureModel, batch_size: int) -> None:
        self._model = model
        self.batch_size = batch_size

    def __call__(self, batch: Batch) -> Features:
        """Embed all rows of a batch; an `InputError` if memory does not even suffice for one."""
        n_rows = len(next(iter(batch.values())))
        parts: list[Features] = []
        start = 0
        while start < n_rows:
            stop = min(start + self.batch_size, n_rows)
            part = self._attempt({name: rows[start:stop] for name, rows in batch.items()})
            if part is None:
                self._halve(stop - start)
            else:
                parts.append(part)
                start = stop
        return join(parts)

    def _attempt(self, batch: Batch) -> Features | None:
        """Embed a batch, or return `None` if memory does not suffice."""
        # Memory is freed only once the exception, which holds all frames, is gone.
        try:
            return self._model.forward(batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None

    def _halve(self, n_rows: int) -> None:
        """Go on with half of so many rows."""
        torch.cuda.empty_cache()
        if n_rows == 1:
            raise InputError(
                "embedding.batch_size",
                "memory does not suffice for a batch of one",
                "Use a GPU with more memory, on the CPU give the job more (resources: mem_mb), or "
                "set a smaller embedding.max_new_tokens or a shorter embedding.dtype",
            )
        self.batch_size = n_rows // 2
        log.warning("memory ran out with a batch of %d; going on with %d", n_rows, self.batch_size)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a smaller batch may help: PyTorch's allocators, of GPU and CPU, say so in words.

    So do CUDA's libraries, which take memory of their own.
    """
    return isinstance(error, torch.cuda.OutOfMemoryError) or lack_of_memory(error) is not None


def join(parts: Sequence[Features]) -> Features:
    """Concatenate features along the stimuli."""
    if len(parts) == 1:
        return parts[0]
    return Features(
        states=torch.cat([part.states for part in parts]),
        responses=[text for part in parts for text in part.responses],
        n_tokens=torch.cat([part.n_tokens for part in parts]),
        truncated=torch.cat([part.truncated for part in parts]),
    )
