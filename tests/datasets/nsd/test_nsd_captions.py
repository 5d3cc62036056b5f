from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from small_study import Study

from brainstruct.datasets.nsd.captions import read_captions
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.errors import InputError


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path, annotations=tmp_path)
    write(made, "train2017", [(9, 3, " a cat \n"), (9, 1, "one"), (8, 2, "other"), (7, 4, " ")])
    write(made, "val2017", [(9, 5, "val's own nine")])
    return made


def write(layout: Layout, split: str, rows: list[tuple[int, int, str]]) -> None:
    content = {
        "info": {"description": "test"},
        "licenses": [{"id": 1, "name": "none"}],
        "images": [{"id": image, "file_name": f"{image}.jpg"} for image, _, _ in rows],
        "annotations": [
            {"image_id": image, "id": number, "caption": text} for image, number, text in rows
        ],
    }
    layout.captions_file(split).write_text(json.dumps(content))


def table(*rows: tuple[int, int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["stimulus", "coco_id", "coco_split"])


def test_captions_are_stripped_and_in_order_of_their_number(layout: Layout) -> None:
    wanted = table((50, 9, "train2017"), (20, 8, "train2017"))
    found = read_captions(layout, wanted)
    assert found == {50: ["one", "a cat"], 20: ["other"]}
    assert list(found) == [50, 20]


def test_an_image_belongs_to_its_split(layout: Layout) -> None:
    found = read_captions(layout, table((1, 9, "val2017"), (2, 8, "train2017")))
    assert found == {1: ["val's own nine"], 2: ["other"]}


@pytest.mark.parametrize("coco_id", [7, 6])
def test_an_image_without_caption_is_refused(layout: Layout, coco_id: int) -> None:
    with pytest.raises(InputError, match=f"no caption of 1 of 2 .*COCO image {coco_id}") as caught:
        read_captions(layout, table((1, 9, "train2017"), (2, coco_id, "train2017")))
    assert caught.value.where == str(layout.captions_file("train2017"))


def test_missing_and_damaged_files_are_refused(layout: Layout) -> None:
    path = layout.captions_file("train2017")
    path.write_text(path.read_text()[:-20])
    with pytest.raises(InputError, match=r"no file of captions|does not exist|is empty"):
        read_captions(layout, table((1, 9, "train2017")))
    path.unlink()
    with pytest.raises(InputError, match=r"no file of captions|does not exist|is empty"):
        read_captions(layout, table((1, 9, "train2017")))


def test_synthetic_captions_cover_the_images_of_all_subjects(study: Study) -> None:
    for subject in ("subj01", "subj03"):
        images = study.images(subject)
        captions = read_captions(study.layout, images)
        assert list(captions) == images["stimulus"].tolist()
        assert {len(texts) for texts in captions.values()} == {5, 6, 7}
        assert all(text == text.strip() for texts in captions.values() for text in texts)


def test_synthetic_captions_have_the_quirks_of_coco(study: Study) -> None:
    content = json.loads(study.layout.captions_file("train2017").read_text())
    assert "categories" not in content
    assert set(content) == {"info", "licenses", "images", "annotations"}
    ends = {entry["caption"][-1] for entry in content["annotations"]}
    assert {"\n", " "} <= ends
    numbers = [entry["id"] for entry in content["annotations"]]
    assert len({*numbers}) == len(numbers)
    assert numbers != sorted(numbers)
    texts = [entry["caption"].strip() for entry in content["annotations"]]
    assert 0 < sum("  " in text for text in texts) < len(texts) / 10
    assert 0 < sum("\n" in text for text in texts) < len(texts) / 20
    same = pd.DataFrame(content["annotations"])[["image_id", "caption"]].duplicated()
    assert 0 < same.sum() < len(texts) / 50
