"""Rule plant_features: the truth of a synthetic study does not depend on the machine."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace

import pytest
import torch

import plant_features
from brainstruct.models.fetch import checkpoint_in_folder
from brainstruct.store import files


class OpenedError(Exception):
    """Far enough."""


def test_it_is_worked_out_on_the_cpu_in_float32(checkpoint, tmp_path, monkeypatch):
    folder = checkpoint("instructblip")
    content = asdict(checkpoint_in_folder(folder))
    files.write_json(content.pop("stamps"), tmp_path / "stamps.json")
    files.write_json(content, tmp_path / "manifest.json")
    settings = {
        "family": "instructblip",
        "n_layers": 5,
        "random_seed": None,
        "pooling": "prompt_mean",
        "max_new_tokens": 2,
        "sampling": {"seed": 1},
        "dtype": "bfloat16",
    }
    job = SimpleNamespace(
        threads=1,
        input=SimpleNamespace(checkpoint=str(tmp_path / "manifest.json")),
        params=SimpleNamespace(model=settings, model_key="m", stamps=str(tmp_path / "stamps.json")),
    )
    models = []

    def images_of(_job):
        raise OpenedError

    def opening(*arguments, **options):
        assert options["device"] == "cpu"
        models.append(real(*arguments, **options))
        return models[0]

    real = plant_features.open_model
    monkeypatch.setattr(plant_features, "open_model", opening)
    monkeypatch.setattr(plant_features, "shown_images", images_of)
    with pytest.raises(OpenedError):
        plant_features.plant_features(job)
    (model,) = models
    assert (model.device.type, model.dtype) == ("cpu", torch.float32)
    assert (model.options.pooling, model.options.sampling) == ("response_mean", None)
