from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
import torch

from brainstruct.embedding.batching import Forward
from brainstruct.embedding.upload import Upload
from brainstruct.errors import InputError
from brainstruct.models.interface import Features


class Cramped:
    """A model on a GPU that holds so many rows at once."""

    def __init__(self, room, error=None):
        self.room = room
        self.error = error or torch.cuda.OutOfMemoryError("CUDA out of memory")
        self.calls = []
        self.device = torch.device("cpu")

    def forward(self, batch):
        values = batch["values"]
        self.calls.append(len(values))
        if len(values) > self.room:
            raise self.error
        return Features(
            values[:, None, None].float(),
            [str(value) for value in values.tolist()],
            values,
            values > 4,
        )

    def forward_all(self, batches):
        return [self.forward(batch) for batch in batches]


@pytest.fixture
def batch():
    return {"values": torch.arange(10)}


def test_batches_are_cut_to_size(batch):
    model = Cramped(100)
    found = Forward(model, 4)([batch])[0]
    assert model.calls == [4, 4, 2]
    assert found.states.flatten().tolist() == list(range(10))
    assert found.responses == [str(value) for value in range(10)]
    assert found.n_tokens.tolist() == list(range(10))
    assert found.truncated.sum() == 5


def test_the_batch_is_halved_until_it_fits_and_stays_so(batch, caplog):
    model = Cramped(3)
    forward = Forward(model, 8)
    with caplog.at_level(logging.WARNING):
        assert forward([batch])[0].n_tokens.tolist() == list(range(10))
    assert model.calls == [8, 4, 2, 2, 2, 2, 2]
    assert forward.batch_size == 2
    assert "going on with 4" in caplog.text
    model.calls.clear()
    forward([batch])
    assert model.calls == [2] * 5


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate "
            "memory: you tried to allocate 4294967296 bytes. Error code 12 (Cannot allocate memory)"
        ),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("CUDA error: out of memory"),
        MemoryError(),
    ],
)
def test_every_lack_of_memory_makes_batches_smaller(batch, error):
    model = Cramped(3, error)
    assert Forward(model, 8)([batch])[0].n_tokens.tolist() == list(range(10))
    assert model.calls == [8, 4, 2, 2, 2, 2, 2]


@pytest.mark.parametrize("fault", ["out of memory", "an illegal memory access"])
def test_what_cannot_be_pinned_is_moved_in_its_turn(monkeypatch, fault):
    class Full(torch.Tensor):
        def pin_memory(self):
            raise RuntimeError(f"CUDA error: {fault}")

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: object())
    rows = {"values": torch.arange(3).as_subclass(Full)}
    upload = Upload(SimpleNamespace(device=torch.device("cuda")))
    if fault == "out of memory":
        assert upload(rows) is rows
    else:
        with pytest.raises(RuntimeError, match="illegal"):
            upload(rows)


def test_batches_of_one_stimulus_list_are_cut_alike(batch):
    model = Cramped(3)
    one, other = Forward(model, 8)([batch, {"values": 10 * batch["values"]}])
    assert model.calls == [8, 4] + [2] * 10
    assert other.n_tokens.tolist() == [10 * number for number in one.n_tokens.tolist()]


@pytest.fixture
def card(monkeypatch):
    """Let a model lie on a GPU of 1000 bytes: 100 for its weights, 50 a row at once."""
    model, peaks = Cramped(15), [100]

    def forward(batch, run=model.forward):
        peaks.append(100 + 50 * len(batch["values"]))
        return run(batch)

    model.forward, model.device = forward, torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 100)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: max(peaks))
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=1000)
    )
    return model


def test_batches_grow_while_there_is_room_for_twice_as_much(card):
    forward = Forward(card, 1)
    rows = {"values": torch.arange(40)}
    assert forward([rows])[0].n_tokens.tolist() == list(range(40))
    # Eight rows take 500 bytes: sixteen would take 900.
    assert card.calls == [1, 2, 4, 8, 8, 8, 8, 1]
    assert forward.batch_size == 8


def test_batches_that_were_halved_grow_no_more(card):
    card.room = 3
    forward = Forward(card, 1)
    forward([{"values": torch.arange(20)}])
    assert card.calls[:5] == [1, 2, 4, 2, 2]
    assert forward.batch_size == 2


def test_short_batches_say_nothing_of_what_there_is_room_for(card):
    forward = Forward(card, 8)
    forward([{"values": torch.arange(3)}])
    assert forward.batch_size == 8


def test_a_single_row_that_does_not_fit_is_an_error(batch):
    with pytest.raises(InputError, match="batch of one"):
        Forward(Cramped(0), 4)([batch])


def test_other_errors_pass_through(batch):
    class Broken(Cramped):
        def forward(self, batch):
            raise RuntimeError("no kernel image")

    with pytest.raises(RuntimeError, match="no kernel"):
        Forward(Broken(0), 4)([batch])
