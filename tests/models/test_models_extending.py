"""The family that docs/extending.md adds as an example works."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
import torch
from transformers import BitImageProcessorPil, Dinov2Config, Dinov2Model

from brainstruct.errors import InputError
from brainstruct.models import registry
from brainstruct.models.interface import ModelOptions

PAGE = Path(__file__).parents[2] / "docs/extending.md"


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """The class, from the module that the page shows."""
    shown, entry, *_ = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    path = tmp_path_factory.mktemp("family") / "dinov2.py"
    path.write_text(shown, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("dinov2", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (path.parent / "entry.py").write_text(
        f"from brainstruct.models.registry import Family\n\nFAMILIES = {{}}\n{entry}"
    )
    spec = importlib.util.spec_from_file_location("entry", path.parent / "entry.py")
    assert spec is not None and spec.loader is not None
    registered = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(registered)
    families = registered.FAMILIES
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.FAMILIES, "dinov2", families["dinov2"])
        yield module.Dinov2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    torch.manual_seed(0)
    sizes = {"num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 28, "patch_size": 7}
    Dinov2Model(Dinov2Config(hidden_size=16, **sizes)).save_pretrained(folder)
    square = {"height": 28, "width": 28}
    BitImageProcessorPil(size={"shortest_edge": 28}, crop_size=square).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("random_seed", [None, 1])
def test_the_example_embeds_images(family, folder, pictures, random_seed):
    model = family.load(ModelOptions(folder, 5, random_seed=random_seed))
    found = model.embed(pictures(3), [])
    assert found.states.shape == (3, 5, 16)
    assert torch.isfinite(found.states).all()
    assert (found.states[0] != found.states[1]).any(-1).all()


def test_the_example_checks_its_layers(family, folder):
    with pytest.raises(InputError, match="5"):
        family.load(ModelOptions(folder, 4))
