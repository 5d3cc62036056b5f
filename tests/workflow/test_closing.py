"""What a run says at its end."""

from __future__ import annotations

import json
import shlex
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.settings.enums import Quietness

from brainstruct.config.loading import load_study
from brainstruct.encoding.regions import WHOLE
from brainstruct.workflow import closing
from brainstruct.workflow.closing import Made, Run, close, summary, warnings_in
from brainstruct.workflow.command import Command
from brainstruct.workflow.rooms import Rooms

STARTED = datetime(2026, 3, 1, 12, 0, 0)
COLUMNS = ("subject", "model", "family", "label", "n_voxels", "n_excluded")
ROWS = [
    ("subj01", "instructblip", "nsdgeneral", "all", 15724, 312),
    ("subj01", "idefics", "nsdgeneral", "all", 15724, 312),
    ("subj01", "instructblip", "floc-words", "all", 0, 0),
    ("subj01", "instructblip", "floc-words", "VWFA-1", 0, 0),
    ("subj01", "instructblip", "floc-faces", "all", 300, 0),
]


@pytest.fixture
def study(paper_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["snakemake", "--configfile", "config/local.yaml"])
    return load_study(paper_config)


def say(study, jobs, **more) -> str:
    ended = datetime(2026, 3, 1, 13, 30, 5)
    run = Run(jobs=jobs, started=STARTED, ended=ended, **{"whole": True, **more})
    return summary(run, Rooms.of(study))


def test_files_are_counted_by_folder(study):
    jobs = [
        Made("fit_ridge_0_to_32_of_33", tuple(f"results/fits/{n}.nc" for n in range(33))),
        Made("check_nsd", ("results/nsd_check.json",)),
        Made("build_tiny_checkpoint_clip", ("resources/demo/checkpoints/clip",)),
    ]
    lines = say(study, jobs).splitlines()
    assert lines[0] == "Study instruction-tuning: 35 files made by 3 jobs in 1:30:05."
    assert [line.split() for line in lines[2:5]] == [
        ["data", "set", "and", "checkpoints", "1"],
        ["results/fits", "33"],
        ["results/nsd_check.json", "1"],
    ]


def test_what_comes_next(study):
    made = [Made("collect_scores", ("results/scores/subj01/clip.nc",))]
    typed = Command.read(["scores", "--configfile", "config/local.yaml"])
    part = say(study, made, whole=False, command=typed)
    assert ".venv/bin/snakemake --configfile config/local.yaml --cores all" in part
    assert (
        ".venv/bin/snakemake scores --configfile config/local.yaml --report results/report.html"
        in part
    )
    whole = say(study, made)
    assert ".venv/bin/snakemake --report results/report.html" in whole
    assert "make view" not in whole
    assert "exports" not in whole
    Path("results/viewer").mkdir(parents=True)
    Path("results/viewer/index.html").touch()
    assert "make view VIEWER=results/viewer" in say(study, made)
    said = say(study, made, rules={"all", "exports"})
    assert ".venv/bin/snakemake exports --cores 1" in said


@pytest.mark.parametrize(
    ("typed", "rest", "report"),
    [
        ("--cores 4", "--cores 4", "--report r.html"),
        ("--profile slurm", "--profile slurm", "--profile slurm --report r.html"),
        (
            "scores fits --profile slurm --config seed=3 'study=a b' --jobs 9",
            "--profile slurm --config seed=3 'study=a b' --jobs 9",
            "scores fits --profile slurm --config seed=3 'study=a b' --report r.html",
        ),
        (
            "--configfile a.yaml 'b c.yaml' --workflow-profile none -c 2 -- statistics",
            "--workflow-profile none --configfile a.yaml 'b c.yaml' --cores 2",
            "statistics --workflow-profile none --configfile a.yaml 'b c.yaml' --report r.html",
        ),
        ("-s other/Snakefile -d there", "--snakefile other/Snakefile --directory there --cores all",
         "--snakefile other/Snakefile --directory there --report r.html"),
    ],
)  # fmt: skip
def test_commands_that_follow_have_what_was_typed(typed, rest, report):
    command = Command.read(shlex.split(typed))
    assert command.running() == f".venv/bin/snakemake {rest}"
    assert command.reporting("r.html") == f".venv/bin/snakemake {report}"
    for said in (command.running("exports", cores="1"), command.reporting("r.html")):
        again = Command.read(shlex.split(said)[1:])
        assert again.kept == command.kept  # no option has taken a target


def test_a_run_goes_on_by_what_was_typed_without_what_would_begin_anew():
    for typed in ("scores --until fit_ridge_0 --resources gpu=4 -k", "--configfile 'a b.yaml'"):
        assert Command.read(shlex.split(typed)).again() == f".venv/bin/snakemake {typed}"
    for forcing in ("-F", "--force", "-R embed"):
        typed = ["scores", "-c", "2", "--config", "seed=3", *forcing.split()]
        said = Command.read(typed).again()
        assert said == ".venv/bin/snakemake scores --config seed=3 --cores 2"


def test_a_profile_of_the_environment_is_carried(monkeypatch):
    monkeypatch.setenv("SNAKEMAKE_PROFILE", "slurm")
    assert "--profile slurm" in Command.read([]).running()


def test_warnings_of_this_run_are_told_once_by_kind(study):
    Path("results/logs").mkdir(parents=True)
    logs = []
    for subject in (1, 2):
        logs.append(f"results/logs/subj0{subject}.log")
        Path(logs[-1]).write_text(
            "2026-02-01 12:00:00 WARNING of an earlier run\n"
            "2026-03-01 12:01:00 INFO nothing\n"
            f"2026-03-01 12:01:00 WARNING layer {subject}: its edge is chosen often\n"
            "2026-03-01 12:01:01 WARNING layer 3: its edge is chosen often\n"
        )
    jobs = [Made("fit_ridge", (f"results/fits/{log[-6]}.nc",), (log,)) for log in logs]
    said = say(study, jobs)
    assert said.count("its edge is chosen often") == 1
    assert "fit_ridge warned 4 times: layer 1: its edge is chosen often" in said
    assert "earlier run" not in said
    kinds = "".join(f"2026-03-01 12:02:00 WARNING {'x' * n}\n" for n in range(1, 9))
    Path(logs[0]).write_text(kinds)
    said = say(study, jobs[:1])
    assert said.count("warned once") == closing.MOST_WARNINGS
    assert "and 3 other kinds of warnings in results/logs" in said
    assert warnings_in("results/logs/none.log", STARTED) == []


def test_what_is_left_out_is_said(study):
    assert WHOLE == closing._WHOLE
    Path("results/tables").mkdir(parents=True)
    lines = ["\t".join(map(str, row)) for row in (COLUMNS, *ROWS)]
    Path("results/tables/alignment.tsv").write_text("\n".join(lines) + "\n")
    Path("results/pycortex").mkdir()
    drawn = {"subj01": {"source": "freesurfer"}, "subj02": {"source": "fsaverage"}}
    Path("results/pycortex/ready.json").write_text(json.dumps(drawn))
    said = say(
        study,
        [
            Made("join_tables", ("results/tables/alignment.tsv",), attempts=2),
            Made("prepare_pycortex", ("results/pycortex/ready.json",)),
        ],
    )
    assert "noise ceiling being under that of silent ones: subj01 312 of 15724." in said
    assert "subj01 has no voxels in floc-words: n/a" in said
    assert "No flat surfaces of subj02: drawn on fsaverage." in said
    assert "1 job failed at first and ran again: 1 of join_tables." in said
    other = say(study, [Made("collect_scores", ("results/scores/subj01/clip.nc",))])
    assert "Good to know" not in other  # the table was there, and has been told of


def workflow(*, outputs=("results/scores/subj01/clip.nc",), quiet=None, touch=False):
    job = SimpleNamespace(
        rule=SimpleNamespace(name="collect_scores"), output=list(outputs), log=[], attempt=1
    )
    return SimpleNamespace(
        touch=touch,
        output_settings=SimpleNamespace(quiet=quiet),
        dag=SimpleNamespace(needrun_jobs=lambda exclude_finished: [job], jobs=[job]),
        start_time=STARTED,
        rules=[],
    )


def test_a_run_is_closed_on_the_terminal(study, capsys):
    close(workflow(), Rooms.of(study))
    said = capsys.readouterr().err
    assert "1 file made by 1 job" in said
    assert "--configfile config/local.yaml --cores all" in said


@pytest.mark.parametrize("case", [{"outputs": ()}, {"quiet": {Quietness.ALL}}, {"touch": True}])
def test_questions_and_quiet_runs_end_in_silence(study, capsys, case):
    close(workflow(**case), Rooms.of(study))
    assert capsys.readouterr().err == ""


def test_a_defect_is_printed_and_does_no_harm(study, capsys):
    Path("results/pycortex").mkdir(parents=True)
    Path("results/pycortex/ready.json").write_text("no JSON")
    close(workflow(outputs=["results/pycortex/ready.json"]), Rooms.of(study))
    said = capsys.readouterr().err
    assert said.startswith("The study is done; its summary could not be written:\n")
    assert "JSONDecodeError" in said
