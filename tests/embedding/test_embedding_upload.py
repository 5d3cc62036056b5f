from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from brainstruct.embedding.upload import Upload
from brainstruct.models.interface import FeatureModel


def test_on_the_cpu_nothing_is_copied():
    batch = {"values": torch.arange(3)}
    assert Upload(SimpleNamespace(device=torch.device("cpu")))(batch) is batch


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_batches_arrive_on_the_gpu_in_the_model_s_precision():
    model = SimpleNamespace(device=torch.device("cuda"), dtype=torch.bfloat16)
    model.on_device = lambda batch: FeatureModel.on_device(model, batch)
    batch = {"ids": torch.arange(4).expand(3, -1), "pixels": torch.rand(3, 5)}
    placed = Upload(model)(batch)
    assert {values.device.type for values in placed.values()} == {"cuda"}
    assert placed["pixels"].dtype == torch.bfloat16
    assert torch.equal(placed["ids"].cpu(), batch["ids"])
    assert torch.equal(placed["pixels"].cpu(), batch["pixels"].bfloat16())
