from __future__ import annotations

import pytest
import torch

from brainstruct.embedding.storage import label
from brainstruct.errors import InputError
from brainstruct.models.interface import Features


def test_layers_and_stimuli_with_broken_states_are_named():
    states = torch.ones(4, 6, 3)  # [stimulus, layer, feature]
    states[1, 3, 0] = states[2, 4, 1] = torch.nan
    features = Features(states, ["a"] * 4, torch.ones(4), torch.zeros(4, dtype=torch.bool))
    said = r"2 of 72 states are not finite, from layer 3 on, in 2 stimuli \(first: 11\)"
    with pytest.raises(InputError, match=said):
        label(features, [5, 11, 7, 2], range(6), "float32")


def test_layers_that_are_not_kept_are_not_looked_at():
    states = torch.ones(2, 4, 3)
    states[:, 1] = torch.inf
    states[0, 2] = 7e4
    features = Features(states, ["a"] * 2, torch.ones(2), torch.zeros(2, dtype=torch.bool))
    block = label(features, [5, 11], [0, 3], "float16")
    assert block["layer"].values.tolist() == [0, 3]
    with pytest.raises(InputError, match="first in layer 2"):
        label(features, [5, 11], [0, 2], "float16")
