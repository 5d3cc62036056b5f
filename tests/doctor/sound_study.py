"""A study with nothing wrong: small data, checkpoints of a few bytes, a pycortex store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from brainstruct.config.files import read_config
from brainstruct.config.loading import load_study
from brainstruct.config.study import Study
from brainstruct.figures.fsaverage import load_fsaverage5
from filestore import write_stored

SESSIONS = {"subj01": 2, "subj03": 1}
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def config_of(root: Path, **changes: Any) -> dict[str, Any]:
    """Settings of the study whose files lie in `root`."""
    config = read_config()
    config |= {"subjects": list(SESSIONS), "results": str(root / "results")}
    config["data"] |= {
        "nsd_root": str(root / "nsd"),
        "sessions": dict(SESSIONS),
        "rois": ["floc-faces", "prf-visualrois"],
    }
    config["flatmaps"] |= {"store": str(root / "pycortex"), "transform": "identity"}
    config["checkpoints"] = {
        name: {"path": str(root / "checkpoints" / name)} for name in ("instructblip", "clip")
    }
    config["models"] = [
        model | {"n_layers": 3}
        for model in config["models"]
        if model["checkpoint"] in config["checkpoints"]
    ]
    for key, value in changes.items():
        config[key] = {**config[key], **value} if isinstance(value, dict) else value
    return config


def study_of(root: Path, **changes: Any) -> Study:
    return load_study(config_of(root, **changes))


def write_checkpoints(folder: Path) -> None:
    """A checkpoint in two shards with an index, and one in a single file."""
    block = {"num_hidden_layers": 2, "hidden_size": 8}
    for name, shards in (("instructblip", SHARDS), ("clip", ("model.safetensors",))):
        place = folder / name
        place.mkdir(parents=True)
        towers = {"text_config": block, "vision_config": block}
        config = {"model_type": name, "image_token_index": 1, **towers}
        (place / "config.json").write_text(json.dumps(config))
        tokenizer = {
            "model": {"vocab": {"a": 0}},
            "added_tokens": [{"id": 1, "content": "<image>"}],
        }
        (place / "tokenizer.json").write_text(json.dumps(tokenizer))
        if name == "instructblip":
            (place / "qformer_tokenizer").mkdir()
            (place / "qformer_tokenizer" / "tokenizer.json").write_text("{}")
        (place / "preprocessor_config.json").write_text("{}")
        index = {}
        for number, shard in enumerate(shards):
            tensors = {f"layer.{number}.{part}": np.ones(50, np.float32) for part in "ab"}
            save_file(tensors, place / shard)
            index |= dict.fromkeys(tensors, shard)
        if len(shards) > 1:
            (place / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))


def write_store(store: Path) -> None:
    """A pycortex filestore with all subjects."""
    for subject in SESSIONS:
        write_stored(store, subject, load_fsaverage5(), "identity")
