"""Runs batches through a model, in smaller ones if memory runs out, a GPU's or the machine's."""

import logging
from collections.abc import Sequence

import torch

from brainstruct.errors import InputError
from brainstruct.models.interface import Batch, FeatureModel, Features
from brainstruct.store.faults import lack_of_memory

log = logging.getLogger(__name__)

_FILLED = 0.85
"""Share of a GPU's memory that batches are to take at most; pieces of it stay unused."""


class Forward:
    """A model whose batches grow while a GPU has room for twice as much; once halved they stay.

    `batch_size` is the first one's.
    """

    def __init__(self, model: FeatureModel, batch_size: int) -> None:
        self._model = model
        self.batch_size = batch_size
        self._grows = model.device.type == "cuda"
        self._resting = torch.cuda.memory_allocated(model.device) if self._grows else 0

    def __call__(self, batches: Sequence[Batch]) -> list[Features]:
        """Embed all rows of batches of the same stimuli, such as one for each instruction.

        An `InputError` if memory does not even suffice for one row.
        """
        n_rows = len(next(iter(batches[0].values())))
        parts: list[list[Features]] = []
        start = 0
        while start < n_rows:
            here = slice(start, min(start + self.batch_size, n_rows))
            part = self._attempt(
                [{name: rows[here] for name, rows in batch.items()} for batch in batches]
            )
            if part is None:
                self._halve(here.stop - start)
            else:
                parts.append(part)
                self._grow(here.stop - start)
                start = here.stop
        return [join(of_one) for of_one in zip(*parts, strict=True)]

    def _attempt(self, batches: list[Batch]) -> list[Features] | None:
        """Embed batches, or return `None` if memory does not suffice."""
        # Memory is freed only once the exception, which holds all frames, is gone.
        try:
            return self._model.forward_all(batches)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None

    def _grow(self, n_rows: int) -> None:
        """Go on with twice as many rows if what these took would fit twice, with some to spare."""
        if not self._grows or n_rows < self.batch_size:
            return
        taken = torch.cuda.max_memory_allocated(self._model.device) - self._resting
        whole = torch.cuda.get_device_properties(self._model.device).total_memory
        if self._resting + 2 * taken < _FILLED * whole:
            self.batch_size *= 2
            log.info("there is room for batches of %d", self.batch_size)

    def _halve(self, n_rows: int) -> None:
        """Go on with half of so many rows."""
        self._grows = False
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
    shares = [part.thinking_share for part in parts if part.thinking_share is not None]
    return Features(
        states=torch.cat([part.states for part in parts]),
        responses=[text for part in parts for text in part.responses],
        n_tokens=torch.cat([part.n_tokens for part in parts]),
        truncated=torch.cat([part.truncated for part in parts]),
        thinking_share=torch.cat(shares) if shares else None,
    )
