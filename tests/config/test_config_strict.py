"""Configuration is read strictly: one line for each mistake, with its place and its cure."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import yaml
from snakemake.cli import parse_config
from snakemake.settings.types import ConfigSettings
from snakemake.utils import update_config

from brainstruct.config.check import main
from brainstruct.config.files import read_config, reread, study_of
from brainstruct.config.loading import load_study, settle_paths
from brainstruct.config.sense import require_known_regions
from brainstruct.config.strict import read_strictly
from brainstruct.errors import InputError
from hostile import HARMFUL, TEXTS


@pytest.fixture
def refused(tmp_path):
    """Read a text as a study's file, and return what is said of it."""

    def read(text: str | bytes) -> str:
        path = tmp_path / "mine.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(InputError) as refusal:
            study_of([path])
        return str(refusal.value)

    return read


MODEL = "{key: a, label: A, family: clip-text, checkpoint: clip, n_layers: 13%s}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: 010", "line 1: seed: 010 is 8 in YAML; write 8"),
        ("seed: 0x1F", "0x1F is 31 in YAML"),
        ("seed: 1:30", "1:30 is 90 in YAML"),
        ("seed: yes", "line 1: seed: yes is true in YAML"),
        ("seed: true", "seed: true and false are no value here"),
        ("study: 2024-01-01", "2024-01-01 is a date in YAML"),
        ("study: NO", "NO is false in YAML; write true or false, or 'NO'"),
        ("instructions: [IC, on]", "instructions.2: on is true in YAML"),
        ("encoding: {alphas: {log10_max: .inf}}", "encoding.alphas.log10_max: .inf is no number"),
        ("1: a", "1: names are text: put this one in quotes"),
        ("no: a", "no: names are text"),
        ("models:\n  - " + MODEL % ", random_seed: yes", "models.a.random_seed: yes is true"),
        ("models:\n  - " + MODEL % ", layers: [true]", "models.a.layers: true and false are no"),
        (
            "models:\n  - key: a\n    label: CLIP #2",
            "line 3: models.a.label: the text ends at ' #' ('CLIP')",
        ),
        ("data: {mask: a}\ndata: {mask: b}", "line 2: data: stands there twice (first in line 1)"),
        (
            "data:\n  rois: [streams]\n  mask: a\n  rois: [HCP]",
            "line 4: data.rois: stands there twice (first in line 2)",
        ),
    ],
)
def test_what_yaml_would_change_is_named(refused, text, said):
    assert f"mine.yaml, {said}" in refused(text) or said in refused(text)


def test_plain_values_and_quoted_ones_pass(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "# a comment\nstudy: no-2\nseed: 8 #2\nresults: mine # another\n"
        "fetch: {nsd_terms_accepted: true}\n"
        "models:\n  - {key: a, label: 'A #2', family: clip-text, checkpoint: clip, n_layers: 13}\n"
        "instruction_texts:\n  NOT: {task: 'yes', text: \"On: 010 # ten\"}\n"
    )
    study = study_of([path])
    assert (study.study, study.models[0].label) == ("no-2", "A #2")
    assert study.instruction_texts["NOT"].text == "On: 010 # ten"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("encoding:\n\tfolds: 5", "line 2, column 1: a tab stands where YAML wants blanks"),
        ("encoding:\n  folds: 5\n   threads: 2", "line 3, column 11: settings at unlike distances"),
        ("study: a: b", "line 1, column 9: a second ': ' in a line"),
        ("study: [a", "brackets are not closed"),
        ('study: "a', "a quote is not closed"),
        ("study: @lab", "text that begins so must stand in quotes"),
        ("study: *lab", "text that begins with * must stand in quotes"),
        ("study: !lab", "text that begins with ! must stand in quotes"),
        ("study: a\n---\nseed: 1", "line 2, column 1: '---' begins a second document"),
        ("study: a\nseed\n", "a line without ': '"),
        ("study: a\x07", "a character that no text file should have"),
        ("- study", "line 1: what stands there is no setting but a list"),
        ("study", "line 1: what stands there is no setting but text, 'study'"),
        ("# ä\nstudy: ä".encode("latin-1"), "is not UTF-8: byte 0xe4 in line 1"),
        ("a: &a {b: *a}", "nested without end, or aliases"),
        ("study: 2024-13-45", "is no readable YAML: month must be in 1..12"),
    ],
)
def test_what_is_no_yaml_is_one_line(refused, text, said):
    message = refused(text)
    assert said in message
    assert "\n" not in message
    assert message.count("mine.yaml") == 1


def test_aliases_that_multiply_are_refused_before_they_do(refused):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 9):
        lines.append(f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]")
    assert "aliases (*name) repeat them to more than 50,000" in refused("\n".join(lines))


def test_json_may_have_tabs_and_no_commas_too_many(tmp_path, refused):
    path = tmp_path / "mine.json"
    path.write_text('{\n\t"study": "mine"\n}')
    assert study_of([path]).study == "mine"
    path.write_text('{"study": "mine",}')
    with pytest.raises(InputError, match="is no JSON"):
        study_of([path])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("subjects: subj01", "subjects: must be a list of names: [a, b], not 'subj01'"),
        ("data: {sessions: [1]}", "data.sessions: must be all or a whole number or settings"),
        ("data: {sessions: ever}", "data.sessions: must be all or a whole number"),
        ("encoding: {folds: many}", "encoding.folds: must be a whole number, not 'many'"),
        ("encoding: {folds: 1}", "encoding.folds: must be a whole number, at least 2, not 1"),
        ("encoding: {folds: 2.5}", "encoding.folds: must be a whole number, not 2.5"),
        ("encoding: {backend: tourch}", "not 'tourch'. Did you mean 'torch'?"),
        ("encoding: [a]", "encoding: must be a block of settings (preset, solver"),
        ("partition: {layer: bset}", "Did you mean 'best'?"),
        (
            "embedding: {decoding: {top_p: 3}}",
            "embedding.decoding.top_p: must be a number, at",
        ),
        ("embedding: {decoding: gready}", "Did you mean 'greedy'?"),
        ("embedding: {keep: 3}", "embedding.keep: must be true or false, not 3"),
        ("subjects: []", "subjects: must be a list of names: [a, b], with at least one in it"),
        ("study: a b", "study: must be a word of letters, digits and hyphens, of 30 characters"),
        ("study: null", "study: must be a word of letters, digits and hyphens"),
        ("flatmaps: {subject: '{subj}'}", "in which {subject} stands for a subject, not '{subj}'"),
        ("statistics: {compare: [[clip-text]]}", "there must be two names in each pair"),
        ("models: clip", "models: must be a list, an entry of settings for each, not 'clip'"),
        ("models:\n  - {key: a}", "models.a.family: is missing; it must be text"),
        ("models:\n  - {label: a}", "models.1.key: is missing; it must be a word of letters"),
        ("concepts: {people: IC}", "concepts.people: must be a list of names: [a, b], not 'IC'"),
        ("checkpoints: {x: y}", "checkpoints.x: must be a block of settings (hub, revision, path"),
        (
            "embedding: {bach_size: 3}",
            "embedding.bach_size: unknown key. Did you mean 'batch_si",
        ),
    ],
)
def test_refusals_speak_the_words_of_the_manual(refused, text, said):
    message = refused(text)
    assert f": {said}" in message or said in message
    assert ", line " in message
    for jargon in ("literal", "constrained", "pattern", "dict[", "instance of", "Input should"):
        assert jargon not in message


def test_two_mistakes_are_two_lines_whatever_their_kinds(refused):
    message = refused(
        "seed: yes\nencoding: {folds: many}\ninstructions: [IC, VQ9]\n"
        "statistics: {compare: [[clip-text, clipp]]}\nresults: /\n"
    )
    lines = [line for line in message.splitlines() if line.startswith("  - ")]
    assert [line.split(": ")[1] for line in lines] == [
        "seed", "encoding.folds", "instructions", "statistics.compare",
    ]  # fmt: skip
    assert "5" not in message.split("problem")[0]
    assert refused("results: /\nseed: 3").count("  - ") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "models:\n  - {key: a, label: A, family: idefics, checkpoint: idefics, n_layers: 33,"
            " instructions: [IC, VQ1]}",
            "instructions: no model is given 'IU1'",
        ),
        (
            "instructions: [VQ1, VQ2]",
            "partition.reference: 'IC' is given to no model that has another instruction too",
        ),
        (
            "models:\n  - " + MODEL % "" + "\n  - " + (MODEL % "").replace("key: a", "key: b"),
            "models: 2 have the label 'A'",
        ),
        ("results: /", "results: is the root of the file system"),
        ("results: .", "is no folder of its own"),
        ("results: config/results", "is no folder of its own"),
        ("results: .git/x", "is no folder of its own"),
        ("data: {nsd_root: nsd}\nresults: nsd/nsddata", "results: lies in the data set (nsd)"),
        ("data: {nsd_root: nsd}\nresults: x/../nsd", "results: lies in the data set (nsd)"),
        ("data: {nsd_root: nsd}\nembeddings_store: nsd", "embeddings_store: lies in the data set"),
    ],
)
def test_what_makes_no_sense_together_is_said(refused, text, said):
    assert said in refused(text)


PATHS = """
results: {path}/results
embeddings_store: {path}/store
data: {{nsd_root: "{path}/nsd", annotations: "{path}/coco"}}
flatmaps: {{store: "{path}/pycortex"}}
checkpoints: {{clip: {{path: "{path}/clip"}}}}
"""


@pytest.mark.parametrize("path", ["~", "$PLACE", "${PLACE}", "$PLACE/.", "${PLACE}/a b"])
def test_paths_are_filled_in_wherever_a_setting_is_one(tmp_path, monkeypatch, path):
    monkeypatch.setenv("PLACE", "/scratch/me")
    monkeypatch.setenv("HOME", "/scratch/me")
    file = tmp_path / "mine.yaml"
    file.write_text(PATHS.format(path=path))
    study = study_of([file])
    for found in (
        study.results, study.embeddings_store, study.data.nsd_root, study.data.annotations,
        study.flatmaps.store, study.checkpoints["clip"].path,
    ):  # fmt: skip
        assert found.startswith("/scratch/me/")


def test_jobs_are_told_the_paths_that_were_filled_in(paper_config, monkeypatch):
    monkeypatch.setenv("PLACE", "/scratch/me")
    paper_config["results"] = "${PLACE}/results"
    paper_config["data"]["nsd_root"] = "$PLACE/nsd"
    paper_config["checkpoints"]["clip"] = {"path": "$PLACE/clip"}
    before = yaml.safe_dump(paper_config)
    settle_paths(paper_config, load_study(paper_config))
    assert paper_config["results"] == "/scratch/me/results"
    assert paper_config["data"]["nsd_root"] == "/scratch/me/nsd"
    assert paper_config["checkpoints"]["clip"]["path"] == "/scratch/me/clip"
    assert yaml.safe_dump(paper_config) == before.replace("${PLACE}", "/scratch/me").replace(
        "$PLACE", "/scratch/me"
    )


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("$NOT_SET_ANYWHERE/x", "$NOT_SET_ANYWHERE is not set in this shell"),
        ("${NOT_SET_ANYWHERE}/x", "$NOT_SET_ANYWHERE is not set in this shell"),
        ("~nobody-of-this-name/x", "there is no user ~nobody-of-this-name"),
        ("x{subject}", "has braces, which mean something else to Snakemake"),
        ("", "is empty; write the name of a folder"),
        (" x", "begins or ends with a blank"),
        ("a\\nb", "has characters that cannot be seen"),
    ],
)
@pytest.mark.parametrize("place", ["results: %s", "data: {nsd_root: %s}"])
def test_paths_that_are_none_are_refused_in_words(refused, path, said, place):
    assert said in refused(place % f'"{path}"')


def test_lines_are_those_of_the_file_that_wins(tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("encoding:\n  threads: 0\n  folds: 1\n")
    second.write_text("\n\n\nencoding: {folds: 0}\n")
    with pytest.raises(InputError) as refusal:
        study_of([first, second])
    assert "first.yaml, line 2: encoding.threads" in str(refusal.value)
    assert "second.yaml, line 4: encoding.folds" in str(refusal.value)


def told(*entries: str, job: bool = False, files=(), inside_another: bool = False):
    """Have Snakemake read what ``--config`` says; return what it hands over, with its workflow."""
    settings = ConfigSettings(
        config=parse_config(entries), configfiles=files, config_args=list(entries)
    )
    config = read_config()
    update_config(config, settings.overwrite_config)
    modifier = SimpleNamespace(is_main_snakefile=lambda: not inside_another)
    return config, SimpleNamespace(
        is_main_process=not job, modifier=modifier, config_settings=settings
    )


@pytest.mark.parametrize("job", [False, True])
@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("seed=3", "seed: 3"),
        ("seed=", "seed: "),
        ("study=true", "study: true"),
        ("study=True", "study: True"),
        ("study=null", "study: null"),
        ("study='2024'", "study: '2024'"),
        ('study="mine"', 'study: "mine"'),
        ("subjects=[subj01]", "subjects: [subj01]"),
        ("partition={shares: [0.25, 1]}", "partition: {shares: [0.25, 1]}"),
        ("encoding={gpus: 1}", "encoding: {gpus: 1}"),
        ('encoding={"gpus": 1, "backend": "torch"}', "encoding: {gpus: 1, backend: torch}"),
        ("encoding=gpus: 1", "encoding: {gpus: 1}"),
        ("encoding={alphas: {count: 9}}", "encoding: {alphas: {count: 9}}"),
        ("embedding={keep: false}", "embedding: {keep: false}"),
        ("embedding={keep: 'false'}", "embedding: {keep: 'false'}"),
        ("flatmaps={store: null}", "flatmaps: {store: null}"),
        ("data={rois: ['1', 1]}", "data: {rois: ['1', 1]}"),
        ("instruction_texts={IC: {text: '12'}}", "instruction_texts: {IC: {text: '12'}}"),
    ],
)
def test_what_the_command_says_is_what_a_file_would(tmp_path, entry, line, job):
    config, workflow = told(entry, job=job)
    given = reread(workflow, config)
    path = tmp_path / "mine.yaml"
    path.write_text(line)
    of_file = read_config([path])
    assert config == of_file
    assert repr(config) == repr(of_file), "1 and true are equal, and no text is a number"
    assert (given[0].path.name, given[0].problems) == (f"--config {entry.split('=')[0]}", {})


def test_the_command_wins_over_files_and_its_last_word_over_others(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("encoding: {folds: 3, threads: 5, gpus: 0}\nseed: 4")
    config, workflow = told("encoding={gpus: 1}", "seed=5", "encoding={folds: 7}", files=[path])
    study = load_study(config, given=reread(workflow, config))
    found = study.encoding
    assert (found.folds, found.threads, found.gpus, study.seed) == (7, 5, 1, 5)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "encoding={folds: 1}",
            "--config encoding, line 1: encoding.folds: must be a whole number",
        ),
        ("encoding={gpus: '1'}", "encoding.gpus: must be one of 0, 1, not '1'"),
        ("seed=010", "--config seed, line 1: seed: 010 is 8 in YAML"),
        ("embedding={keep: no}", "--config embedding, line 1: embedding.keep: no is false in YAML"),
        (
            "encoding={folds: 1",
            "--config encoding: is no readable YAML: line 1, column 10: brackets",
        ),
    ],
)
def test_what_the_command_says_wrongly_is_refused_in_its_name(tmp_path, entry, said):
    path = tmp_path / "mine.yaml"
    path.write_text("encoding: {folds: 3}\nseed: 4\nembedding: {keep: true}\n")
    config, workflow = told(entry, files=[path])
    with pytest.raises(InputError) as refusal:
        load_study(config, given=reread(workflow, config))
    assert said in str(refusal.value)
    assert "mine.yaml" not in str(refusal.value)


def test_jobs_do_not_read_the_files_again(tmp_path):
    (path := tmp_path / "mine.yaml").write_text("seed: 4")
    config, workflow = told(job=True, files=[path])
    path.unlink()
    assert reread(workflow, config) == []


def test_what_a_command_says_to_another_workflow_is_that_one_s():
    config, workflow = told("brainstruct={seed: 1}", inside_another=True)
    before = repr(config)
    assert reread(workflow, config) == []
    assert repr(config) == before


def test_places_are_noted(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("data:\n  rois:\n    - streams\n    - floc\n")
    given = read_strictly(path)
    assert given.content == {"data": {"rois": ["streams", "floc"]}}
    assert given.lines[("data", "rois", 1)] == 4
    assert given.problems == {}


@pytest.mark.parametrize(
    ("text", "more", "status"),
    [
        ("study: mine", [], 0),
        ("study: [", [], 1),
        ("study: a b", [], 1),
        ("study: a b", ["--config", "study=ab"], 0),  # whole with what Snakemake is told besides
        ("study: [", ["--config", "study=ab"], 1),
        ("study: mine", ["--verbose"], 0),
    ],
)
def test_a_configuration_is_checked_before_snakemake_reads_it(tmp_path, capsys, text, more, status):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert main(["--configfile", str(path), *more]) == status
    assert ("mine.yaml" in capsys.readouterr().err) == bool(status)


@pytest.mark.parametrize(
    ("there", "change", "said"),
    [
        (["floc-faces", "my-mask"], {"mask": "my-maks"}, "data.mask: unknown name 'my-maks'"),
        (["floc-faces"], {"rois": ["floc-face"]}, "data.rois: unknown name 'floc-face'"),
        (["floc-faces"], {"rois": ["strems"]}, "Did you mean 'streams'?"),
        (["floc-faces"], {"rois": ["streams"]}, ""),  # distributed: it is to be fetched
        (["floc-faces"], {"rois": ["an-atlas-of-mine"]}, ""),  # to be put there
        ([], {"rois": ["floc-face"]}, ""),  # nothing is known
    ],
)
def test_regions_go_by_the_names_of_files_on_disk(tmp_path, paper_config, there, change, said):
    folder = tmp_path / "nsddata/ppdata/subj02/func1pt8mm/roi"
    folder.mkdir(parents=True)
    for name in there:
        (folder / f"lh.{name}.nii.gz").touch()
        (folder / f"{name}.nii.gz").touch()
    paper_config["data"] |= {"nsd_root": str(tmp_path)} | change
    study = load_study(paper_config)
    if not said:
        require_known_regions(study)
        return
    with pytest.raises(InputError) as refusal:
        require_known_regions(study)
    assert said in str(refusal.value)
    assert "lh." not in str(refusal.value)
    assert "?." not in str(refusal.value), "a question ends by itself"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"a\\ab"', "label: has a character that nothing can show (U+0007); delete it"),
        ('"a\\x1b[31mb"', "label: has a character that nothing can show (U+001B)"),
        ('"a\\rb"', "label: has a character that nothing can show (U+000D)"),
        ('"a\\0"', "label: has a character that nothing can show (U+0000)"),
        ('" "', "label: is blank; write what people are to read"),
    ],
)
def test_texts_that_nothing_can_show_are_named(refused, text, said):
    line = refused(f"models:\n  - {MODEL % ''}".replace("label: A", f"label: {text}"))
    assert said in line and "line 2" in line


@pytest.mark.parametrize("text", [*TEXTS, HARMFUL])
def test_any_other_text_is_taken_as_it_is(paper_config, text):
    paper_config["models"][0]["label"] = text
    paper_config["instruction_texts"]["IC"] = {"task": text, "text": text}
    study = load_study(paper_config)
    assert study.models[0].label == text
    assert study.instruction_texts["IC"].model_dump() == {"task": text, "text": text}


def test_paths_that_end_a_literal_are_refused(refused):
    assert "results: has `, which stands for something else" in refused("results: a``b")
