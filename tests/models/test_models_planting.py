"""Rule plant_features: the truth of a synthetic study does not depend on the machine."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch

import plant_features
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.models.fetch import checkpoint_in_folder
from brainstruct.models.interface import Sampling
from brainstruct.models.opening import ModelSettings
from brainstruct.store import files


class OpenedError(Exception):
    """Far enough."""


def test_it_is_worked_out_on_the_cpu_in_float32(checkpoint, tmp_path, monkeypatch):
    folder = checkpoint("instructblip")
    content = asdict(checkpoint_in_folder(folder))
    files.write_json(content.pop("stamps"), tmp_path / "stamps.json")
    files.write_json(content, tmp_path / "manifest.json")
    settings = ModelSettings(
        family="instructblip",
        checkpoint="instructblip",
        n_layers=5,
        random_seed=None,
        pooling="prompt_mean",
        max_new_tokens=2,
        sampling=Sampling(seed=1),
        dtype="bfloat16",
        storage="float16",
    )
    models = []

    def design_of(*_):
        raise OpenedError

    def opening(*arguments, **options):
        assert options["device"] == "cpu"
        models.append(real(*arguments, **options))
        return models[0]

    real = plant_features.open_model
    monkeypatch.setattr(plant_features, "open_model", opening)
    monkeypatch.setattr(plant_features, "read_expdesign", design_of)
    with pytest.raises(OpenedError):
        plant_features.plant_features(
            manifest=tmp_path / "manifest.json",
            stamps=tmp_path / "stamps.json",
            model="m",
            model_settings=settings,
            texts={},
            planted_layers={},
            sessions_of={},
            layout=Layout(tmp_path),
            threads=1,
            code="x",
            features=[],
        )
    (model,) = models
    assert (model.device.type, model.dtype) == ("cpu", torch.float32)
    assert (model.options.pooling, model.options.sampling) == ("response_mean", None)
