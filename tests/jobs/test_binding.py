"""What Snakemake hands over becomes arguments by name and type, or one line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from brainstruct.config.encoding import Alignment
from brainstruct.errors import InputError
from brainstruct.jobs.binding import FromConfig, answer, bind
from fake_job import fake_job


@dataclass(frozen=True)
class Options:
    n_draws: int
    seed: int


def work(
    *,
    scores: Path,
    parts: list[Path],
    extra: Path | None,
    alignment: Alignment,
    options: Options,
    pairs: list[tuple[str, str]],
    batch_size: Annotated[int, FromConfig("embedding.batch_size")],
    subject: str,
    table: Path,
) -> None:
    """Work."""


def job(**changes):
    parts = {
        "input": {"": ["place.csv"], "scores": "scores.nc", "parts": ["one.nc"], "extra": []},
        "output": {"table": "table.tsv"},
        "params": {
            "alignment": {"ceiling": "ncsnr", "ceiling_threshold": 0.1, "layers": "mean"},
            "options": {"n_draws": 10, "seed": 3},
            "pairs": [["a", "b"]],
            "code": "abc",
        },
        "wildcards": {"subject": "subj01", "model": "m"},
        "config": {"embedding": {"batch_size": 8}},
    }
    for key, value in changes.items():
        part, _, name = key.partition("__")
        parts[part] = parts[part] | ({name: value} if name else value)
    return fake_job("a_rule", **parts)


def test_names_become_typed_arguments():
    assert bind(work, job()) == {
        "scores": Path("scores.nc"),
        "parts": [Path("one.nc")],
        "extra": None,
        "alignment": Alignment(ceiling_threshold=0.1, layers="mean"),
        "options": Options(10, 3),
        "pairs": [("a", "b")],
        "batch_size": 8,
        "subject": "subj01",
        "table": Path("table.tsv"),
    }


def test_a_file_that_may_be_absent_comes_out_of_its_list():
    assert bind(work, job(input__extra=["more.nc"]))["extra"] == Path("more.nc")


@pytest.mark.parametrize("rooms", [None, [], ["doctor"], ["doctor", "plan"]])
def test_a_list_among_parameters_stays_what_it_is(rooms):
    def other(*, rooms: list[str] | None) -> None:
        """Work."""

    assert bind(other, fake_job("a_rule", params={"rooms": rooms})) == {"rooms": rooms}


def test_a_setting_that_is_not_there_is_one_line():
    with pytest.raises(InputError, match=r"lacks embedding\.batch_size"):
        bind(work, fake_job("a_rule", config={"embedding": {}}))


def test_a_question_answers_a_mismatch_in_one_line(capsys):
    def other(*, rooms: list[str] | None) -> int:
        """Work."""
        return 0

    assert answer(other, fake_job("a_rule", params={"rooms": None})) == 0
    assert answer(other, fake_job("a_rule", params={"more": 1})) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "rooms is missing" in said[0]


def test_an_output_hides_the_wildcard_of_its_name():
    def other(*, model: Path) -> None:
        """Work."""

    given = fake_job("a_rule", output={"model": "m.nc"}, wildcards={"model": "m"})
    assert bind(other, given) == {"model": Path("m.nc")}


def test_threads_and_code_are_given_to_who_asks():
    def other(*, threads: int, code: str) -> None:
        """Work."""

    found = bind(other, fake_job("a_rule", threads=3, params={"code": "abc"}))
    assert found == {"threads": 3, "code": "abc"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"params__more": 1}, "more is not asked for"),
        ({"params": {"options": {"n_draws": 10}}}, "options.seed: Field required"),
        ({"params": {"options": {"n_draws": 10, "seed": 1, "x": 2}}}, "options.x is not asked for"),
        ({"params": {"alignment": {"celing": "ncsnr"}}}, "alignment.celing: Extra inputs"),
        ({"params__pairs": [["a"]]}, "pairs.0.1: Field required"),
        ({"config": {"embedding": {"batch_size": "many"}}}, "batch_size: Input should be a valid"),
        ({"input__scores": ["a.nc", "b.nc"]}, "scores: Input is not a valid path"),
    ],
)
def test_what_does_not_fit_is_one_line(changes, said):
    with pytest.raises(InputError) as stop:
        bind(work, job(**changes))
    assert str(stop.value).startswith("rule a_rule: does not fit work of its script: ")
    assert said in str(stop.value)
    assert "\n" not in str(stop.value)


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match="scores is missing; parts is missing"):
        bind(work, fake_job("a_rule", config={"embedding": {"batch_size": 1}}))
