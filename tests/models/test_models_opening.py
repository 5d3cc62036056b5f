from __future__ import annotations

from brainstruct.models.interface import ModelOptions
from brainstruct.models.opening import ModelSettings, options_of


def test_what_a_study_says_reaches_the_model(tmp_path):
    settings = ModelSettings(
        "llava", "own", 33, "float32",
        random_seed=7, dtype="float16", pooling="prompt_mean", max_new_tokens=5,
    )  # fmt: skip
    assert options_of(tmp_path, settings, "cpu") == ModelOptions(
        tmp_path, 33, random_seed=7, pooling="prompt_mean", max_new_tokens=5, dtype="float16",
        device="cpu",
    )  # fmt: skip
    assert options_of(tmp_path, settings).device == "auto"
