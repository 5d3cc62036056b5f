"""Copies the next batches to the GPU while the model works on this one."""

import torch

from brainstruct.embedding.batching import is_out_of_memory
from brainstruct.models.interface import Batch, FeatureModel


class Upload:
    """Moves batches to a model's device; to be called from the background thread.

    On CUDA the copy goes from pinned memory, on a stream of its own: the engine
    that copies works beside those that compute. The thread, not the device,
    waits for it, so a batch that is handed over is complete.
    """

    def __init__(self, model: FeatureModel) -> None:
        self._model = model
        self._stream: torch.cuda.Stream | None = None
        if model.device.type == "cuda":
            self._stream = torch.cuda.Stream(model.device)  # type: ignore[no-untyped-call]

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch on the device, or as it is if there is no room for it.

        What is left behind is moved when its turn comes, in parts if need be.
        Its memory may be reused as soon as the batch is dropped: by then the
        features are on the CPU, so nothing reads it any more.
        """
        if self._stream is None:
            return batch
        try:  # pinned memory is scarce, too
            pinned = {name: values.contiguous().pin_memory() for name, values in batch.items()}
            with torch.cuda.stream(self._stream):
                placed = self._model.on_device(pinned)
            self._stream.synchronize()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return batch
        return placed
