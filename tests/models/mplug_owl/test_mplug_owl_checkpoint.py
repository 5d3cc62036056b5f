"""Reading checkpoint folders: every layout of the weights, and every way to be wrong."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from brainstruct.errors import InputError
from brainstruct.models.mplug_owl.family import read_config


class Malicious:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def folder(tmp_path: Path, reference_folder: Path) -> Path:
    for name in ("config.json", "preprocessor_config.json", "tokenizer.model"):
        shutil.copy(reference_folder / name, tmp_path)
    return tmp_path


@pytest.fixture
def tensors(reference_folder: Path) -> dict[str, torch.Tensor]:
    return load_file(reference_folder / "model.safetensors")


def write_shards(tensors, folder, stem, suffix, save) -> None:
    names = sorted(tensors)
    index = {}
    for number, shard in enumerate((names[::2], names[1::2]), start=1):
        file = f"{stem}-{number:05}-of-00002{suffix}"
        save({name: tensors[name] for name in shard}, folder / file)
        index |= dict.fromkeys(shard, file)
    content = {"metadata": {}, "weight_map": index}
    (folder / f"{stem}{suffix}.index.json").write_text(json.dumps(content))


def layouts():
    def old_pickle(tensors, path):
        torch.save(tensors, path, _use_new_zipfile_serialization=False)

    def whole(name, save):
        return lambda tensors, folder: save(tensors, folder / name)

    def shards(stem, suffix, save):
        return lambda tensors, folder: write_shards(tensors, folder, stem, suffix, save)

    return {
        "safetensors": whole("model.safetensors", save_file),
        "sharded safetensors": shards("model", ".safetensors", save_file),
        "bin": whole("pytorch_model.bin", torch.save),
        "old bin": whole("pytorch_model.bin", old_pickle),
        "sharded bin": shards("pytorch_model", ".bin", torch.save),
    }


@pytest.mark.parametrize("layout", layouts())
def test_every_layout_of_weights(read, folder, tensors, layout):
    layouts()[layout](tensors, folder)
    found = read(folder).state_dict()
    kept = {name for name in tensors if not name.endswith("rotary_emb.inv_freq")}
    assert found.keys() == kept
    assert len(kept) == len(tensors) - 3
    assert all(torch.equal(found[name], tensors[name]) for name in kept)


def test_the_output_layer_is_not_tied(read, folder, tensors):
    config = json.loads((folder / "config.json").read_text()) | {"tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "model.safetensors")
    head = read(folder).language_model.lm_head.weight
    assert torch.equal(head, tensors["language_model.lm_head.weight"])


def test_precision(read, folder, tensors):
    save_file(tensors, folder / "model.safetensors")
    model = read(folder, "bfloat16")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    # The rotary frequencies must not be rounded: positions would drift apart.
    assert model.language_model.model.rotary_emb.inv_freq.dtype == torch.float32


@pytest.mark.parametrize("is_zip", [True, False])
def test_malicious_pickle_is_refused(read, folder, tensors, tmp_path, is_zip):
    mark = tmp_path / "executed"
    harmful = {**tensors, "query_tokens": Malicious(mark)}
    path = folder / "pytorch_model.bin"
    torch.save(harmful, path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(InputError, match="hold more than tensors"):
        read(folder)
    assert not mark.exists()
    torch.load(path, weights_only=False)
    assert mark.exists(), "the test's pickle must be harmful"


def test_missing_weights(read, folder):
    with pytest.raises(InputError, match=r"lacks model\.safetensors or .*fetch_checkpoint"):
        read(folder)


def test_missing_shard(read, folder, tensors):
    write_shards(tensors, folder, "pytorch_model", ".bin", torch.save)
    (folder / "pytorch_model-00002-of-00002.bin").unlink()
    with pytest.raises(InputError, match="pytorch_model-00002-of-00002"):
        read(folder)


@pytest.mark.parametrize("layout", ["safetensors", "bin", "sharded bin"])
def test_half_a_file(read, folder, tensors, layout):
    layouts()[layout](tensors, folder)
    for path in [*folder.glob("*.safetensors"), *folder.glob("*.bin")]:
        path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"is (damaged|truncated)"):
        read(folder)


def test_damaged_index(read, folder):
    (folder / "pytorch_model.bin.index.json").write_text("{")
    with pytest.raises(InputError, match="no index of weight shards"):
        read(folder)


def test_tensors_that_are_not_the_models_are_named(read, folder, tensors):
    del tensors["query_tokens"]
    tensors["adapter.weight"] = torch.zeros(2)
    tensors["abstractor.vit_eos"] = torch.zeros(1, 1, 3)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(InputError) as caught:
        read(folder)
    assert re.search(r"lack 1 of \d+ tensors \(query_tokens\)", caught.value.fault)
    assert "hold 1 tensors that this model does not know (adapter.weight)" in caught.value.fault
    assert "abstractor.vit_eos: [1, 1, 3], not [1, 1, " in caught.value.fault


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"model_type": "llama"}, "model_type is 'llama'"),
        ({"text_config": {"model_type": "bloom"}}, "describes a 'bloom' language model"),
        ({"text_config": 3}, "describes a None language model"),
        ({"num_query_tokens": "many"}, "expected int, got str"),
        ({"vision_config": {"num_attention_heads": 5}}, "no multiple of its 5 heads"),
    ],
)
def test_another_configuration_is_refused(folder, change, fault):
    config = json.loads((folder / "config.json").read_text()) | change
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=fault):
        read_config(folder)


def test_configuration_missing_or_damaged(tmp_path):
    with pytest.raises(InputError, match=r"lacks config\.json"):
        read_config(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="is damaged or no JSON"):
        read_config(tmp_path)
