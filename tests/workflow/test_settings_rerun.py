"""Each setting, changed alone, makes the jobs run again that depend on it, and no others.

What follows from their new results runs again, too: that is Snakemake's own doing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from parsing import parse, recorded, script_of
from pydantic import BaseModel

from brainstruct.config.files import REPOSITORY, read_config
from brainstruct.config.study import Study

EMBED = {"embed", "plant_features"}
FIT = {"fit_ridge"}
FIT_AND_PART = {"fit_ridge", "partition_variance"}
ALIGN = {
    "compare", "export_study", "export_subject", "find_concepts", "find_winners",
    "partition_variance", "tabulate_partition", "tabulate_rois", "write_methods",
}  # fmt: skip
IMAGES = EMBED | {
    "check_data", "export_subject", "estimate_ceiling", "index_stimuli", "list_block",
    "prepare_pycortex", "prepare_responses", "show_responses", "write_synthetic_stimuli",
    "write_synthetic_subject",
}  # fmt: skip
BETAS = {
    "check_data", "export_subject", "estimate_ceiling", "prepare_pycortex", "prepare_responses",
    "plant_features", "write_methods", "write_synthetic_stimuli", "write_synthetic_subject",
}  # fmt: skip
LEGENDS = {
    "build_viewer", "draw_concepts", "draw_planted_recovered", "draw_winning_instruction",
    "export_study", "export_subject", "write_methods",
}  # fmt: skip
LABELS = LEGENDS | {
    "draw_alignment_maps", "draw_instruction_rois", "draw_layer_profiles", "draw_model_scatter",
    "draw_roi_bars", "draw_shared_variance", "draw_winning_layer", "show_responses",
}  # fmt: skip
CORTEX = {"build_viewer", "export_study", "export_subject", "prepare_pycortex"}

CHANGES: dict[str, tuple[Any, set[str]]] = {
    "study": ("other", {"export_study", "list_viewers", "write_methods"}),
    "seed": (
        7,
        FIT_AND_PART | {"compare", "estimate_cross_subject", "show_responses", "write_methods"},
    ),
    "subjects": (
        ["subj01"],
        {"check_data", "draw_noise_ceiling", "draw_shared_variance", "estimate_ceiling",
         "estimate_cross_subject", "export_study", "join_tables", "list_viewers",
         "prepare_pycortex", "tabulate_comparisons", "tabulate_recovery", "tabulate_responses",
         "write_methods"},
    ),
    "data.nsd_root": ("elsewhere", IMAGES | {"draw_planted_recovered", "tabulate_recovery"}),
    # The model of the demo that is looked at here sees images; where captions lie is no
    # matter to it.
    "data.annotations": (
        "captions",
        {"check_data", "plant_features", "write_synthetic_stimuli", "write_synthetic_subject"},
    ),
    "data.space": ("func1mm", BETAS | {"export_study"}),
    "data.betas": ("betas_assumehrf", BETAS | {"export_study"}),
    "data.format": ("hdf5", set()),
    "data.sessions": (
        1,
        {"check_data", "index_stimuli", "list_block", "prepare_responses",
         "write_synthetic_subject"},
    ),
    "data.mask": (
        "my-mask",
        {"check_data", "compare", "draw_instruction_rois", "draw_layer_profiles",
         "draw_model_scatter", "draw_roi_bars", "draw_shared_variance", "export_subject",
         "find_concepts", "prepare_pycortex", "prepare_responses", "tabulate_partition",
         "tabulate_rois", "write_methods", "write_synthetic_subject"},
    ),
    "data.rois": (
        ["floc-faces"],
        {"check_data", "draw_layer_profiles", "draw_roi_bars", "draw_shared_variance",
         "estimate_ceiling", "write_methods", "write_synthetic_subject"},
    ),
    "data.images_per_block": (500, FIT_AND_PART | {"list_block", "tabulate_responses"}),
    "instruction_texts.IC.text": ("Say something", LEGENDS | EMBED | {"show_responses"}),
    "instruction_texts.IC.task": ("Other", LEGENDS),
    "instructions": (
        ["IC", "VQ1", "VQ2", "VQ3", "VR", "CR", "IU1", "IU2", "IU3"],
        LEGENDS | {"collect_scores", "compare", "draw_instruction_rois", "draw_shared_variance",
                   "embed", "partition_variance", "show_responses"},
    ),
    "checkpoints.instructblip.hub": ("other/clip", {"fetch_checkpoint"}),
    "checkpoints.instructblip.revision": ("v2", {"fetch_checkpoint"}),
    "checkpoints.instructblip.path": ("elsewhere", {"fetch_checkpoint", "build_tiny_checkpoint"}),
    "checkpoints.instructblip.endpoint": ("mirror", {"fetch_checkpoint"}),
    "models.0.label": ("Other", LABELS),
    "models.0.family": ("llava", EMBED | {"write_methods"}),
    "models.0.checkpoint": ("clip", EMBED),
    "models.0.n_layers": (
        40,
        EMBED | FIT | {"build_viewer", "collect_scores", "draw_layer_profiles",
                       "draw_winning_layer", "export_study", "export_subject"},
    ),
    "models.0.layers": ([0, 8, 16, 24, 32], FIT | {"collect_scores"}),
    "models.0.instructions": (
        ["IC", "VQ2", "IU1"],
        LEGENDS | {"collect_scores", "compare", "draw_shared_variance", "embed",
                   "partition_variance", "show_responses"},
    ),
    "models.0.random_seed": (
        9,
        EMBED | {"compare", "draw_alignment_maps", "draw_instruction_rois", "draw_model_scatter",
                 "draw_roi_bars"},
    ),
    "embedding.batch_size": (8, set()),
    "embedding.images_per_shard": (8, set()),
    "embedding.instructions_per_job": (1, {"embed"}),
    "embedding.max_new_tokens": (3, EMBED),
    "embedding.decoding": ({"seed": 1}, EMBED),
    "embedding.pooling": ("prompt_mean", EMBED),
    "embedding.device": ("cuda", set()),
    "embedding.dtype": ("bfloat16", EMBED),
    "embedding.storage": ("float32", EMBED),
    "encoding.preset": ("oota2025", ALIGN | FIT),
    "encoding.backend": ("numpy", FIT_AND_PART),
    "encoding.solver": ("himalaya", FIT),
    "encoding.alphas.count": (7, FIT_AND_PART),
    "encoding.alphas.log10_min": (1.5, FIT_AND_PART),
    "encoding.alphas.log10_max": (9.0, FIT_AND_PART),
    "encoding.folds": (3, FIT_AND_PART),
    "encoding.alpha_score": ("r2_score", FIT),
    "encoding.permutations": (0, FIT),
    "encoding.layers_per_job": (11, FIT | {"predict_selected"}),
    "encoding.targets_per_batch": (77, set()),
    "encoding.threads": (3, set()),
    "alignment.ceiling": ("cross_subject", ALIGN | {"build_viewer", "estimate_ceiling"}),
    "alignment.ceiling_threshold": (0.2, ALIGN | {"draw_noise_ceiling"}),
    "alignment.layers": ("mean", ALIGN),
    "statistics.n_draws": (123, {"compare", "write_methods"}),
    "statistics.compare": ([["instructblip", "vit-h"]], {"compare"}),
    "cross_subject.folds": (3, {"estimate_cross_subject"}),
    "cross_subject.inner_folds": (3, {"estimate_cross_subject"}),
    "cross_subject.curve": ("exponential", {"estimate_cross_subject", "write_methods"}),
    "cross_subject.extrapolate_images": (False, {"estimate_cross_subject", "write_methods"}),
    "cross_subject.n_bootstraps": (7, {"estimate_cross_subject"}),
    "cross_subject.subsets_per_size": (2, {"estimate_cross_subject"}),
    "partition.reference": ("all", {"partition_variance"}),
    "partition.layer": (3, {"partition_variance"}),
    "partition.components": (9, {"partition_variance"}),
    "partition.shares": ([0.5], {"partition_variance"}),
    "partition.threads": (3, set()),
    "concepts": ({"scene": ["SR"]}, {"draw_concepts", "find_concepts"}),
    "flatmaps.source": ("fsaverage", CORTEX),
    "flatmaps.store": ("elsewhere", CORTEX),
    "flatmaps.subject": ("S2", CORTEX),
    "flatmaps.transform": ("other", {"export_subject", "prepare_pycortex"}),
    "flatmaps.patch": ("other", {"prepare_pycortex"}),
    "flatmaps.height": (128, {"prepare_pycortex"}),
    "synthetic.seed": (1, {"write_synthetic_stimuli", "write_synthetic_subject"}),
    "synthetic.anatomy_subject": ("S2", {"sample_anatomy"}),
    "synthetic.anatomy_transform": ("other", {"sample_anatomy"}),
    "synthetic.regions": (["V1"], {"sample_anatomy"}),
    "synthetic.max_labelled": (100, {"write_synthetic_subject"}),
    "synthetic.n_unlabelled": (10, {"write_synthetic_subject"}),
    "synthetic.signal": (0.5, {"write_synthetic_subject"}),
    "synthetic.ncsnr": ([0.5, 0.6], {"write_synthetic_subject"}),
}  # fmt: skip
"""Setting of the demo -> another value, and the scripts whose jobs run again."""

OTHERWISE = {
    "data.dataset": "another data set is another study: tests/datasets/test_datasets_opening.py",
    "data.settings": "those of a data set of one's own: the same tests",
    "results": "all results are in another folder",
    "models.0.key": "another key is another model",
    "fetch": "is for the command that downloads",
    "synthetic.sessions": "goes with the number of images",
    "synthetic.shared_images": "goes with the number of sessions",
    "synthetic.unique_images": "goes with the number of sessions",
    "synthetic.formats": "goes with the format that is read",
    "synthetic.planted": "goes with features and models",
    "synthetic.checkpoints": "goes with the models",
}
"""Settings that cannot be changed alone, or change no job."""


def changed(config: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    config = copy.deepcopy(config)
    *way, last = key.split(".")
    place: Any = config
    for part in way:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    place[last] = value
    return config


def records(config: dict[str, Any]) -> dict[str, list[Any]]:
    """Script -> what Snakemake would record of a job of each of its rules."""
    found: dict[str, list[Any]] = {}
    for rule in parse(**config):
        if rule.script:
            found.setdefault(script_of(rule), []).append(recorded(rule))
    return found


def demo() -> dict[str, Any]:
    return read_config([REPOSITORY / "config/demo.yaml"])


@cache
def before() -> dict[str, list[Any]]:
    return records(demo())


@pytest.mark.parametrize("key", CHANGES)
def test_a_changed_setting_is_noticed_by_its_jobs_alone(key):
    value, expected = CHANGES[key]
    after = records(changed(demo(), key, value))
    scripts = before().keys() | after.keys()
    assert {one for one in scripts if before().get(one) != after.get(one)} == expected


def settings(block: type[BaseModel], way: str = "") -> Iterator[str]:
    """Name every setting there is; of blocks in lists and mappings, those of one entry."""
    for name, field in block.model_fields.items():
        key = f"{way}{name}"
        inner = {"models": "0.", "checkpoints": "instructblip.", "instruction_texts": "IC."}.get(
            key
        )
        blocks = [one for one in _types(field.annotation) if issubclass(one, BaseModel)]
        if blocks and (inner or key.count(".") == 0 or key == "encoding.alphas"):
            yield from settings(blocks[0], f"{key}.{inner or ''}")
        else:
            yield key


def _types(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type) and not getattr(annotation, "__args__", ()):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _types(inner)


def test_no_setting_is_forgotten():
    names = {name if name.split(".")[0] != "fetch" else "fetch" for name in settings(Study)}
    assert names == CHANGES.keys() | OTHERWISE.keys()
