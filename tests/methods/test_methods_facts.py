from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.methods.facts import model_facts, run_facts, subject_facts
from brainstruct.store.arrays import open_dataset, write_dataset

SAMPLING = {"seed": 3, "temperature": 1.0, "top_k": 5, "top_p": None}


@pytest.fixture
def scores(tmp_path):
    """Write scores as the workflow does, and open them."""

    def written(name: str, version: str = "0.1.0", **run) -> xr.Dataset:
        embedding = {
            "checkpoint": {"source": "hub/name", "revision": "abc", "digest": "f" * 64},
            "device": "cuda",
            "dtype": "bfloat16",
            "feature_dim": 4096,
            "max_new_tokens": 32,
            "n_layers": 33,
            "pooling": "response_mean",
            "random_seed": None,
            "sampling": None,
            "storage": "float16",
            "torch": "2.0",
            "transformers": "5.0",
        }
        dataset = xr.Dataset(
            {"r": (("layer", "voxel"), np.zeros((2, 3)))},
            coords={"layer": [3, 7], "voxel": [0, 1, 2]},
            attrs={"n_train": 8500, "n_test": 907},
        )
        path = tmp_path / f"{name}.nc"
        write_dataset(
            dataset,
            path,
            provenance={"embedding": embedding | run, "himalaya": "0.4", "seed": 1},
        )
        return open_dataset(path)

    return written


def test_counts_of_a_subject_come_from_its_files(scores):
    responses = xr.Dataset(
        attrs={
            "subject": "subj05",
            "sessions": 37,
            "n_mask_voxels": 120,
            "n_dead_voxels": 3,
            "n_voxels": 117,
            "n_saturated": 9,
            "n_imputed": 1,
            "silent_share": 0.052,
        }
    )
    facts = subject_facts(
        responses, scores("a"), xr.Dataset(attrs={"n_excluded": 20, "ceiling_threshold": 0.17})
    )
    assert (facts.name, facts.sessions) == ("subj05", 37)
    assert (facts.n_train, facts.n_test) == (8500, 907)
    assert (facts.n_mask, facts.n_dead, facts.n_voxels, facts.n_excluded) == (120, 3, 117, 20)
    assert (facts.n_saturated, facts.n_imputed) == (9, 1)
    assert (facts.threshold, facts.silent_share) == (0.17, 0.052)


def test_a_model_is_what_its_scores_say(scores):
    facts = model_facts(
        scores("a", random_seed=4), key="m", label="M", family="vit", instructions=[]
    )
    assert (facts.source, facts.revision, facts.digest) == ("hub/name", "abc", "f" * 64)
    assert (facts.n_layers, facts.n_fitted, facts.n_features) == (33, 2, 4096)
    assert facts.random_seed == 4
    assert facts.prompt is None  # of a file that was made before prompts were kept


def test_the_prompt_of_a_model_has_places_for_all_that_it_was_asked(scores):
    stored = scores("a", prompt="USER: <image>\nLook!\nASSISTANT:", instruction="Look!")
    facts = model_facts(stored, key="m", label="M", family="llava", instructions=["IC"])
    assert facts.prompt == "USER: <image>\n{instruction}\nASSISTANT:"


def test_a_study_computed_in_parts_names_all_its_settings(scores):
    runs = run_facts([scores("a"), scores("b", dtype="float32", sampling=SAMPLING), scores("c")])
    assert runs["dtype"] == ("bfloat16", "float32")
    assert runs["device"] == ("cuda",)
    assert runs["sampling"] == ("greedy", "sampling (seed 3, temperature 1.0, top_k 5)")
    assert runs["himalaya"] == ("0.4",)
