"""Files are merged without Snakemake exactly as Snakemake merges them."""

from __future__ import annotations

import pytest
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from brainstruct.config.files import DEFAULTS, read_config
from brainstruct.config.loading import load_study
from brainstruct.errors import InputError


def test_as_snakemake_merges(tmp_path):
    first = tmp_path / "first.yaml"
    first.write_text("data: {nsd_root: /there, rois: [streams]}\nsubjects: [subj05]\nseed: 1\n")
    second = tmp_path / "second.yaml"
    second.write_text("data: {sessions: {subj05: 3}}\nstudy: my\ncheckpoints: {clip: {path: /}}\n")
    expected: dict = {}
    for path in [*DEFAULTS, first, second]:
        update_config(expected, load_configfile(str(path)))
    found = read_config([first, second])
    assert found == expected
    study = load_study(found)
    assert (study.data.nsd_root, study.data.rois, study.subjects) == (
        "/there",
        ["streams"],
        ["subj05"],
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, "does not exist"),
        ("a: [", "no readable YAML"),
        ("- a", "no setting but a list"),
    ],
)
def test_bad_files(tmp_path, text, fault):
    path = tmp_path / "mine.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=rf"mine\.yaml: .*{fault}"):
        read_config([path])


def test_an_empty_file_changes_nothing(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("# nothing yet\n")
    assert read_config([path]) == read_config()
