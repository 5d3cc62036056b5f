from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from brainstruct.config.loading import load_study
from brainstruct.config.schema import schema_text
from brainstruct.errors import InputError
from brainstruct.workflow.rooms import Rooms

REPOSITORY = Path(__file__).parents[2]
SMALL_STUDY = REPOSITORY / "tests/workflow/small.yaml"

PAPER_INSTRUCTIONS = {
    "IU1": "Describe the most dominant color in the image",
    "IU2": "List any food items visible.",
    "IU3": "How many animals are there in the image?",
    "VQ1": "What is in this image?",
    "VQ2": "Are there any people in this image? If yes, describe them.",
    "VQ3": "What is the foreground of the image? What is in the background?",
    "IC": "Generate some text to describe the image",
    "SR": "Highlight the area that shows a natural outdoor scene.",
    "CR": "What type of environment is shown in the image?",
    "VR": "What kind of interaction is happening between the animate and inanimate objects here?",
}


def test_paper_study_is_the_paper_s(paper_config):
    study = load_study(paper_config)
    assert study.subjects == ["subj01", "subj02", "subj05", "subj07"]
    assert {key: study.instruction_texts[key].text for key in study.instructions} == (
        PAPER_INSTRUCTIONS
    )
    assert len({study.instruction_texts[key].task for key in study.instructions}) == 6
    assert study.synthetic is None


def test_demo_is_the_same_study_but_small(paper_config, demo_config):
    paper, demo = load_study(paper_config), load_study(demo_config)
    assert demo.instructions == paper.instructions
    assert demo.alignment == paper.alignment
    families = {model.family for model in demo.models}
    assert families <= {model.family for model in paper.models} | {"auto", "text"}


def test_unknown_key_is_refused_with_a_suggestion(paper_config):
    paper_config["encoding"]["aplhas"] = {}
    with pytest.raises(InputError, match=r"encoding\.aplhas: unknown key\. Did you mean 'alphas'"):
        load_study(paper_config)


def test_unknown_key_in_a_list_entry_is_placed(paper_config):
    paper_config["models"][1]["n_layer"] = 3
    with pytest.raises(InputError, match=r"models\.mplug-owl\.n_layer: .*Did you mean 'n_layers'"):
        load_study(paper_config)


def test_unknown_key_does_not_get_a_far_fetched_suggestion(paper_config):
    paper_config["zzz"] = 1
    with pytest.raises(InputError) as error:
        load_study(paper_config)
    assert "zzz: unknown key" in str(error.value)
    assert "Did you mean" not in str(error.value)


def test_all_problems_are_listed_at_once(paper_config):
    paper_config["encoding"]["folds"] = 1
    paper_config["subjects"] = ["subj01", "subj09"]
    with pytest.raises(InputError) as error:
        load_study(paper_config)
    assert "encoding.folds" in str(error.value)
    assert "subjects: unknown name 'subj09'" in str(error.value)
    assert "2 problem(s)" in str(error.value)


@pytest.mark.parametrize(
    ("given", "layers"),
    [
        ([0.25, 0.5, 0.75, 1.0], [8, 16, 24, 32]),
        ([0.0, 1.0], [0, 32]),
        ([1.0], [32]),
        ([0, 1], [0, 1]),
        ([0.5, 0.2], [6, 16]),
        ({"every": 8}, [0, 8, 16, 24, 32]),
        ({"every": 40}, [0]),
        ("all", list(range(33))),
    ],
)
def test_layers_may_be_depths_or_a_step(paper_config, given, layers):
    model = paper_config["models"][0]
    names = []
    for named in (given, layers):
        study = load_study(paper_config | {"models": [model | {"layers": named}]})
        assert study.models[0].fitted_layers == layers
        rooms = Rooms.of(study)
        jobs = [(job.name, job.log, job.layers) for job in rooms.encoding.fit_jobs()]
        settings = rooms.models.settings_of(model["key"])
        names.append((rooms.encoding.all_fits, jobs, settings))
    assert names[0] == names[1]  # the same files, rules and embeddings


def name_instruction(config, key):
    config["instruction_texts"][key] = {"task": "test", "text": "Say nothing."}
    config["instructions"].append(key)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["models"][0].update(instructions=["IC", "V1"]), "Did you mean 'VQ1'"),
        (lambda c: c["models"][0].update(checkpoint="instructblp"), "Did you mean 'instructblip'"),
        (lambda c: c["models"][0].update(family="gpt"), "unknown family 'gpt'"),
        (lambda c: c["models"][0].update(layers=[0, 33]), r"0\.\.32"),
        (lambda c: c["models"][0].update(layers=[1, 1]), "each once"),
        (lambda c: c["models"][0].update(layers=[0.5, 0.501]), r"each once, got \[16, 16\]"),
        (lambda c: c["models"][0].update(layers=[0.5, 1.5]), "a number, at most 1, not 1.5"),
        (lambda c: c["models"][0].update(layers=[8, 0.5]), r"models\.instructblip\.layers"),
        (lambda c: c["models"][0].update(layers={"every": 0}), r"layers\.every: .*above 0"),
        (lambda c: c["models"][0].update(prompt="Look:"), r"no place for the instruction"),
        (
            lambda c: c["models"][0].update(prompt="{instruction}", chat={"system": "Hi"}),
            "'prompt' replaces it",
        ),
        (lambda c: c["models"][0].update(weights="4bit", random_seed=1), "packs what is read"),
        (lambda c: c["models"].append(c["models"][0]), "more than once"),
        (lambda c: c["instructions"].append("IC"), "more than once"),
        (lambda c: c["instructions"].append("XX"), "unknown name 'XX'"),
        (lambda c: c["data"].update(sessions={"subj03": 3}), "unknown name 'subj03'"),
        (lambda c: c["encoding"]["alphas"].update(log10_max=-1), "must be below"),
        (lambda c: c["partition"].update(layer=33), r"partition\.layer: 33 .* 'instructblip'"),
        (
            lambda c: c["encoding"].update(preset="oota2025") or c.update(alignment=None),
            "alignment",
        ),
        (lambda c: c["models"][0].update(key="../etc"), "key"),
        (lambda c: c["models"][0].update(instructions=[]), "instructions: is empty"),
        (lambda c: name_instruction(c, "mean"), "mean means something else"),
        (lambda c: name_instruction(c, "none"), "none means something else"),
        (lambda c: c["statistics"].update(compare=[["vit-h", "vit-h"]]), "with itself"),
        (
            lambda c: c["statistics"].update(compare=[["vit-h", "idefics"], ["idefics", "vit-h"]]),
            "compare: idefics and vit-h stand there more than once",
        ),
        (lambda c: c["data"]["rois"].append("floc-faces"), "rois: floc-faces stand"),
        (lambda c: c["data"]["rois"].append("nsdgeneral"), "'nsdgeneral' is the mask"),
        (lambda c: c["checkpoints"].update(x={"revision": "main"}), "needs 'hub'"),
    ],
)
def test_bad_values_are_refused(paper_config, change, message):
    change(paper_config)
    with pytest.raises(InputError, match=message):
        load_study(paper_config)


def test_a_layer_of_partitions_is_asked_of_models_that_have_some(paper_config):
    paper_config["partition"]["layer"] = 5
    paper_config["models"][0].update(layers=[0], instructions=["VR", "CR"])  # no reference
    paper_config["models"][-1].update(layers=[0])  # follows no instructions
    assert load_study(paper_config).partition.layer == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(unique_images=599), "three repetitions"),
        (lambda s: s["planted"][0].update(layer=33), r"beyond 0\.\.32"),
        (lambda s: s["planted"][0].update(instruction="IU9"), "unknown name 'IU9'"),
        (lambda s: s.update(sessions={"subj01": 3}), "unknown name 'subj02'"),
        (lambda s: s["checkpoints"].update(vit={"kind": "vit"}), "unknown name 'vit'"),
    ],
)
def test_bad_synthetic_blocks_are_refused(demo_config, change, message):
    change(demo_config["synthetic"])
    with pytest.raises(InputError, match=message):
        load_study(demo_config)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "nifti"}, "'nifti' is not among synthetic.formats"),
        ({"sessions": {"subj01": 40}}, "only 3 of subj01"),
        ({"sessions": 40}, "only 2 of subj02"),
    ],
)
def test_a_study_asks_for_no_more_than_is_written(demo_config, change, message):
    demo_config["synthetic"]["formats"] = ["hdf5"]
    demo_config["data"].update(change)
    with pytest.raises(InputError, match=message):
        load_study(demo_config)


def test_schema_on_disk_is_current():
    stored = (REPOSITORY / "config" / "schema.json").read_text(encoding="utf-8")
    assert stored == schema_text(), "run `make schema`"


def test_environments_on_disk_are_current():
    done = subprocess.run([sys.executable, REPOSITORY / "envs" / "write_envs.py", "--check"])
    assert done.returncode == 0


SCHEMA = json.loads((REPOSITORY / "config/schema.json").read_text(encoding="utf-8"))
EDITED = sorted(
    path for path in (REPOSITORY / "config").glob("*.yaml") if not path.name.startswith("local")
)


@pytest.mark.parametrize("path", [*EDITED, SMALL_STUDY], ids=lambda path: path.stem)
def test_editors_find_no_fault_with_configuration_files(path):
    """Each file alone, as editors check it: none holds all keys."""
    text = path.read_text(encoding="utf-8")
    jsonschema.validate(yaml.safe_load(text), SCHEMA)
    if path in EDITED:
        assert text.startswith("# yaml-language-server: $schema=schema.json\n")


@pytest.mark.parametrize(
    "local",
    [
        {"data": {"sessions": {"subj01": 3}}},
        {"encoding": {"alphas": {"count": 10}}, "subjects": ["subj05"]},
        {"instruction_texts": {"IC": {"text": "Describe it."}}},
        {"flatmaps": {"store": "/there"}},
    ],
)
def test_editors_find_no_fault_with_a_file_of_differences(local):
    jsonschema.validate(local, SCHEMA)


@pytest.mark.parametrize(
    "local",
    [
        {"encoding": {"aplhas": {}}},
        {"subjects": ["subj 11"]},
        {"models": [{"key": "clip"}]},  # lists replace the others: an entry must be whole
        {"embedding": {"batch_size": 0}},
    ],
)
def test_editors_mark_what_is_wrong(local):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(local, SCHEMA)


def test_editors_explain_every_key():
    for block in [SCHEMA, *SCHEMA["$defs"].values()]:
        for key, entry in block["properties"].items():
            assert entry.get("description"), f"{block['title']}.{key}"


def test_unknown_kind_of_tiny_checkpoint(demo_config):
    demo_config["synthetic"]["checkpoints"]["clip"]["kind"] = "clipp"
    with pytest.raises(InputError, match=r"checkpoints\.clip\.kind: .*unknown kind 'clipp'.* clip"):
        load_study(demo_config)
