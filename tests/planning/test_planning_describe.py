"""What ``make describe`` prints is a configuration, and true of the model that is loaded."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from brainstruct.config.files import read_config
from brainstruct.config.loading import load_study
from brainstruct.config.strict import read_strictly
from brainstruct.errors import InputError
from brainstruct.models import fetch, tiny
from brainstruct.models.interface import ModelOptions
from brainstruct.models.kinds import family_of
from brainstruct.models.opening import family_class
from brainstruct.planning.amounts import Amounts
from brainstruct.planning.describe import describe, main, with_checkpoint
from brainstruct.planning.report import shown_size

KINDS = {
    "qwen2-vl": "auto",
    "instructblip": "instructblip",
    "mplug-owl": "mplug-owl",
    "idefics": "idefics",
    "llava": "llava",
    "vit": "vit",
    "clip": "clip-image",
}
INSTRUCTION = "Generate some text to describe the image"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    built = {}

    def get(kind: str) -> Path:
        if kind not in built:
            built[kind] = tmp_path_factory.mktemp("described") / f"Tiny-{kind}"
            tiny.build(kind, built[kind], seed=1, n_blocks=4)
        return built[kind]

    return get


def without_weights(folder: Path, place: Path) -> Path:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in (".safetensors", ".bin"):
            copy = place / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return place


def described(named: Path | str, **config) -> str:
    found, key = with_checkpoint(read_config() | config, str(named))
    study = load_study(found)
    return describe(study, study.model(key))


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_true_of_the_model_and_a_configuration(kind, checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = without_weights(checkpoint(kind), tmp_path / f"Tiny-{kind}")
    text = described(folder)
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert not read_strictly(path).problems
    (entry,) = yaml.safe_load(text)["models"]
    assert entry["family"] == KINDS[kind]
    study = load_study(read_config([path]))
    (model,) = study.models
    assert study.checkpoints[model.checkpoint].path == str(folder)

    options = ModelOptions(checkpoint(kind), model.n_layers, device="cpu", dtype="float32")
    loaded = family_class(model.family).load(options)  # it refuses another number of layers
    lines = text.splitlines()
    blocks = f"# {model.n_layers - 1} blocks, states of {loaded.feature_dim} numbers"
    assert blocks in lines
    size = sum(parameter.numel() for parameter in loaded.network.parameters())
    assert f"# {size / 1e9:.3g} billion parameters: " in text
    assert Amounts(study).networks[model.key].width == loaded.feature_dim
    assert ("# prompt for IC: " in text) == model.follows_instructions
    if model.follows_instructions:
        prompt = json.loads(next(x for x in lines if "prompt for" in x).partition(": ")[2])
        assert prompt == loaded.prompt(INSTRUCTION)
        picture = Image.new("RGB", (425, 425))
        ids = loaded.prepare([picture], [INSTRUCTION])["input_ids"][0]
        assert f"# tokens of it: {len(ids)}, of which an image of 425 x 425 has " in text


def test_tokens_of_an_image_are_those_of_its_processor(checkpoint, tmp_path):
    folder = without_weights(checkpoint("qwen2-vl"), tmp_path / "published")
    path = folder / "preprocessor_config.json"
    limits = {"shortest_edge": 3136, "longest_edge": 12845056}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"size": limits}))
    # 425 pixels are taken for 30 rows of 14, of which two are a token's.
    assert "an image of 425 x 425 has 225" in described(folder)


def test_memory_is_that_of_packed_weights(checkpoint, tmp_path):
    folder = without_weights(checkpoint("llava"), tmp_path / "packed")
    path = folder / "config.json"
    packed = {"quant_method": "bitsandbytes", "load_in_8bit": True}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"quantization_config": packed}))
    text = described(folder)
    assert "GB in 8 bits" in text
    assert "GB in 16 bits" not in text


def test_weights_are_never_read(checkpoint, monkeypatch):
    def read(*_, **__):
        raise AssertionError("weights were read")

    monkeypatch.setattr("brainstruct.models.loading._read_weights", read)
    assert "n_layers: 5" in described(checkpoint("llava"))


def test_what_is_planned_is_what_the_plan_says(checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = described(checkpoint("qwen2-vl"), instructions=["IC", "VQ2"])
    width = json.loads((checkpoint("qwen2-vl") / "config.json").read_text())
    width = (width.get("text_config") or width)["hidden_size"]
    states = 2 * 10_000 * (5 * width * 2 + 5 * 32 + 25) + 2 * 2 * 16_000
    assert "plan for subj01, 2 instruction(s): " in text
    assert f"{shown_size(states)} of embeddings" in text


def test_a_model_of_a_study_is_described_as_it_stands(checkpoint, tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    entry = {"key": "mine", "label": "Mine", "family": "auto", "checkpoint": "own", "n_layers": 5}
    entry |= {"prompt": "{image} {instruction}!", "layers": [0.5, 1.0]}
    own = {"checkpoints": {"own": {"path": str(checkpoint("qwen2-vl"))}}}
    path.write_text(yaml.safe_dump(own | {"models": [entry]}))
    assert main(["--model", "mine", "--configfile", str(path)]) == 0
    text = capsys.readouterr().out
    assert yaml.safe_load(text)["models"] == [entry]
    assert f'{INSTRUCTION}!"' in text

    path.write_text(yaml.safe_dump(own | {"models": [entry | {"n_layers": 7}]}))
    assert main(["--model", "mine", "--configfile", str(path)]) == 1
    assert "Set n_layers: 5 for this model" in capsys.readouterr().err
    assert main(["--model", "others", "--configfile", str(path)]) == 1
    assert "is no model of the study" in capsys.readouterr().err


def test_without_a_prompt_the_rest_is_told(checkpoint, tmp_path):
    folder = without_weights(checkpoint("qwen2-vl"), tmp_path / "bare")
    for name in ("chat_template.jinja", "chat_template.json"):
        (folder / name).unlink(missing_ok=True)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    text = described(folder)
    assert "# no prompt for IC: " in text
    assert "has no chat template" in text
    assert "GPU hours" in text


def test_a_repository_that_is_nowhere_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def refuses(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(fetch, "snapshot_download", refuses)
    monkeypatch.setattr(fetch, "try_to_load_from_cache", lambda *_, **__: None)
    assert main(["--checkpoint", "owner/model"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("owner/model: revision main could not be downloaded")
    assert "copy the files yourself" in line


def test_it_takes_seconds(checkpoint):
    """Imports are most of it; the machine of the tests may be busy, so CPU time counts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "brainstruct.planning.describe"]
    command += ["--checkpoint", str(checkpoint("qwen2-vl"))]
    scripts = Path(__file__).parents[2] / "workflow_scripts"
    environment = {"PYTHONPATH": str(scripts), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10


def test_seventy_billion_parameters_are_built_of_nothing(checkpoint, tmp_path):
    folder = without_weights(checkpoint("qwen2-vl"), tmp_path / "large")
    config = json.loads((folder / "config.json").read_text())
    sizes = {"hidden_size": 8192, "intermediate_size": 29568, "num_hidden_layers": 80}
    sizes |= {"num_attention_heads": 64, "num_key_value_heads": 8, "layer_types": None}
    (config.get("text_config") or config).update(sizes)
    config["vision_config"]["hidden_size"] = 8192
    (folder / "config.json").write_text(json.dumps(config))
    before = torch.get_default_device()
    text = described(folder)
    assert "n_layers: 81" in text
    assert (
        "# 70.2 billion parameters: 140.5 GB in 16 bits, 70.2 GB in 8 bits, 35.1 GB in 4" in text
    ), text
    assert torch.get_default_device() == before


@pytest.mark.parametrize(
    ("model_type", "files", "family"),
    [
        ("qwen2_vl", ["preprocessor_config.json", "tokenizer.json"], "auto"),
        ("t5gemma2", ["preprocessor_config.json", "tokenizer.json"], "auto"),
        ("llava", ["preprocessor_config.json", "tokenizer.json"], "llava"),
        ("clip", ["preprocessor_config.json", "tokenizer.json"], "clip-image"),
        ("dinov2", ["preprocessor_config.json"], "image"),
        ("siglip", ["processor_config.json", "tokenizer.json"], "image"),
        ("gpt2", ["tokenizer.json"], "text"),
        ("", ["tokenizer.json"], "text"),
    ],
)
def test_the_family_is_that_of_the_type_or_of_what_there_are_files_for(
    tmp_path, model_type, files, family
):
    for name in files:
        (tmp_path / name).write_text("{}")
    assert family_of(tmp_path, {"model_type": model_type}) == family


def test_an_unknown_family_is_refused_as_when_loaded(tmp_path, capsys):
    (tmp_path / "config.json").write_text('{"model_type": "t5gemma2"}')
    assert main(["--checkpoint", str(tmp_path)]) == 1
    assert "lacks" in capsys.readouterr().err
    with pytest.raises(InputError):
        described(tmp_path)
