"""Whatever a file of the data set holds: it is read, or named with its fault and cure."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_study import SHAPE, Study

from brainstruct.datasets.nsd.betas import read_session
from brainstruct.datasets.nsd.captions import read_captions
from brainstruct.datasets.nsd.design import read_expdesign
from brainstruct.datasets.nsd.labels import read_label_table
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.stimuli import StimulusReader, read_stim_info
from brainstruct.datasets.nsd.volumes import read_volume
from damage import damaged, examples, reads_or_names

MASK = np.zeros(SHAPE, dtype=bool)
MASK[4:6, 5:8, 3] = True


def spoilt(original: Path, folder: Path, data: st.DataObject) -> Path:
    path = folder / original.name
    path.write_bytes(data.draw(damaged(original.read_bytes())))
    return path


@pytest.mark.parametrize("form", ["hdf5", "nifti"])
@examples(25)
@given(data=st.data())
def test_betas(study: Study, tmp_path: Path, form: str, data: st.DataObject) -> None:
    path = spoilt(study.layout.betas_file("subj01", 1, form), tmp_path, data)
    reads_or_names(lambda path: read_session(path, MASK), path)


@examples(40)
@given(data=st.data())
def test_volumes(study: Study, tmp_path: Path, data: st.DataObject) -> None:
    path = spoilt(study.layout.roi_file("subj01", "nsdgeneral"), tmp_path, data)
    reads_or_names(lambda path: read_volume(path, SHAPE), path)


@examples(15)
@given(data=st.data())
def test_the_design(study: Study, tmp_path: Path, data: st.DataObject) -> None:
    reads_or_names(read_expdesign, spoilt(study.layout.expdesign_file, tmp_path, data))


@examples(5)
@given(data=st.data())
def test_the_table_of_images(study: Study, tmp_path: Path, data: st.DataObject) -> None:
    path = spoilt(study.layout.stim_info_file, tmp_path, data)
    reads_or_names(lambda path: read_stim_info(path, study.design), path)


@examples(40)
@given(data=st.data())
def test_captions(study: Study, tmp_path: Path, data: st.DataObject) -> None:
    split = "train2017"
    rows = study.info[study.info["coco_split"] == split].head(3)
    layout = Layout(tmp_path, annotations=tmp_path)
    spoilt(study.layout.captions_file(split), tmp_path, data)
    reads_or_names(lambda _: read_captions(layout, rows), layout.captions_file(split))


@examples(40)
@given(text=st.text() | st.from_regex(r"(\d+ \w+\n)*", fullmatch=True), raw=st.binary())
def test_tables_of_labels(tmp_path: Path, text: str, raw: bytes) -> None:
    path = tmp_path / "floc-bodies.mgz.ctab"
    for content in (text.encode("utf-8", "surrogatepass"), raw):
        path.write_bytes(content)
        reads_or_names(read_label_table, path)


@examples(15)
@given(data=st.data())
def test_images(study: Study, tmp_path: Path, data: st.DataObject) -> None:
    seen = int(study.index("subj01")["nsd_id"].iloc[0])

    def read(path: Path) -> None:
        with StimulusReader(path) as reader:
            reader.array(seen)

    path = tmp_path / "nsd_stimuli.hdf5"
    shutil.copy(study.layout.stimuli_file, path)
    size = path.stat().st_size
    with path.open("r+b") as file:
        if data.draw(st.booleans()):
            file.truncate(data.draw(st.integers(0, size - 1)))
        else:
            file.seek(data.draw(st.integers(0, size - 1)))
            file.write(data.draw(st.binary(min_size=1, max_size=64)))
    reads_or_names(read, path)
