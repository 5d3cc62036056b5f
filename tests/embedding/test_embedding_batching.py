from __future__ import annotations

import logging

import pytest
import torch

from brainstruct.embedding.batching import Forward
from brainstruct.errors import InputError
from brainstruct.models.interface import Features


class Cramped:
    """A model on a GPU that holds so many rows at once."""

    def __init__(self, room):
        self.room = room
        self.calls = []

    def forward(self, batch):
        values = batch["values"]
        self.calls.append(len(values))
        if len(values) > self.room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return Features(
            values[:, None, None].float(),
            [str(value) for value in values.tolist()],
            values,
            values > 4,
        )


@pytest.fixture
def batch():
    return {"values": torch.arange(10)}


def test_batches_are_cut_to_size(batch):
    model = Cramped(100)
    found = Forward(model, 4)(batch)
    assert model.calls == [4, 4, 2]
    assert found.states.flatten().tolist() == list(range(10))
    assert found.responses == [str(value) for value in range(10)]
    assert found.n_tokens.tolist() == list(range(10))
    assert found.truncated.sum() == 5


def test_the_batch_is_halved_until_it_fits_and_stays_so(batch, caplog):
    model = Cramped(3)
    forward = Forward(model, 8)
    with caplog.at_level(logging.WARNING):
        assert forward(batch).n_tokens.tolist() == list(range(10))
    assert model.calls == [8, 4, 2, 2, 2, 2, 2]
    assert forward.batch_size == 2
    assert "going on with 4" in caplog.text
    model.calls.clear()
    forward(batch)
    assert model.calls == [2] * 5


def test_a_single_row_that_does_not_fit_is_an_error(batch):
    with pytest.raises(InputError, match="batch of one"):
        Forward(Cramped(0), 4)(batch)


def test_other_errors_pass_through(batch):
    class Broken:
        def forward(self, batch):
            raise RuntimeError("no kernel image")

    with pytest.raises(RuntimeError, match="no kernel"):
        Forward(Broken(), 4)(batch)


def test_a_batch_size_of_zero_is_refused():
    with pytest.raises(ValueError, match="batch_size is 0"):
        Forward(Cramped(1), 0)
