"""Time and memory of a dry run, from one subject to ten times the paper's study.

    pytest -s -o python_files='bench_*.py' tests/benchmarks/bench_dag.py

Each study is shown five times: with nothing there, with the data set there, with
everything done, the same with the ledger of it, and as another clone meets it, under
other times. The data set is empty files in its layout, and so are results;
Snakemake writes its own records of them (``--touch``). BENCH_DAG is ``quick`` (up to
the paper's study, default) or ``full`` (up to ten times that, minutes). What is
measured is CPU time, user and system, of the whole command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from snakemake.persistence.file import FilePersistence

from brainstruct.config.loading import load_study
from brainstruct.config.study import Study
from brainstruct.store.ledger import Entry, Ledger, Made
from brainstruct.workflow.inputs import Inputs
from brainstruct.workflow.places import Places
from brainstruct.workflow.rooms import Rooms

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "workflow"))

from checkout import Checkout  # noqa: E402 - lies beside the tests of the workflow

SUBJECTS = [f"subj0{number}" for number in range(1, 9)]


class Size(NamedTuple):
    """A study, by how many there are of everything.

    The paper's is 4 subjects, 6 models that follow 10 instructions and 3 that do not.
    """

    subjects: int
    instructed: int
    instructions: int
    others: int


class Cost(NamedTuple):
    """What a command took."""

    seconds: float
    megabytes: float
    text: str


PAPER = Size(4, 6, 10, 3)
SIZES = {"quick": [Size(1, 1, 10, 3), Size(1, 6, 10, 3), PAPER]}
SIZES["full"] = [*SIZES["quick"], Size(8, 6, 10, 3), Size(8, 12, 13, 6), Size(8, 15, 20, 15)]

PAPER_SECONDS, PAPER_MEGABYTES, PARSE_SECONDS, TENFOLD_SECONDS = 6.0, 300.0, 1.5, 40.0


def configuration(size: Size) -> dict[str, Any]:
    """Return the configuration of a study of some size, in the manner of config.yaml."""
    merged: dict[str, Any] = {}
    for name in ("instructions", "checkpoints", "config"):
        merged |= yaml.safe_load((REPOSITORY / "config" / f"{name}.yaml").read_text())
    texts = {
        f"I{number}": {"task": "Task", "text": f"Instruction {number}"}
        for number in range(size.instructions)
    }
    merged["instruction_texts"] = texts
    merged["instructions"] = list(texts)
    merged["concepts"] = {}
    merged["partition"] = {"reference": "I0"}
    merged["subjects"] = SUBJECTS[: size.subjects]
    kinds = [
        model
        for model in merged["models"]
        if "random_seed" not in model and model["key"] in ("instructblip", "mplug-owl", "idefics")
    ]
    plain = [m for m in merged["models"] if m["key"] in ("vit-h", "clip-image", "clip-text")]
    chosen = [(kinds, number) for number in range(size.instructed)]
    chosen += [(plain, number) for number in range(size.others)]
    merged["models"] = [
        group[number % 3]
        | {name: f"{group[number % 3][name]}-{number}" for name in ("key", "label")}
        for group, number in chosen
    ]
    return merged


def measure(folder: Path, *command: str) -> Cost:
    """Run a command of its own process; it must succeed."""
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=folder, stdout=printed, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        text = printed.read()
    assert process.returncode == 0, text[-3000:]
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def create(folder: Path, names: list[str]) -> None:
    """Create empty files, and folders where a name has no suffix."""
    for name in names:
        path = folder / name
        (path.parent if path.suffix else path).mkdir(parents=True, exist_ok=True)
        if path.suffix:
            path.touch()


def write_ledger(folder: Path, study: Study, outputs: list[str]) -> float:
    """Let the ledger say what Snakemake's records do; return its size in MB."""
    persistence = FilePersistence(path=folder / ".snakemake")
    places = Places.of(study)
    jobs: dict[tuple[str, int], list[str]] = {}
    records = {output: persistence._read_record(output) for output in outputs}
    for output, record in records.items():
        jobs.setdefault((record.rule, record.job_hash), []).append(output)
    entries = []
    for (rule, _), made in jobs.items():
        record = records[made[0]]
        entries.append(
            Entry(
                rule=rule,
                wildcards={"subject": "subj01"},
                params={
                    f"parameter_{number}": places.names_in(value)
                    for number, value in enumerate(record.params)
                },
                inputs=tuple(map(places.name, record.input)),
                made={places.name(output): Made.of(folder / output) for output in made},
                seconds=1234.5,
                peak_mb=12345,
                at=1_800_000_000.123,
            )
        )
    Ledger(folder / places.root).append(entries)
    return sum(path.stat().st_size for path in (folder / places.root / "ledger").iterdir()) / 1e6


def finish(folder: Path, options: list[str]) -> list[str]:
    """Let everything be done: empty outputs, and what Snakemake records of them.

    Returns the outputs.
    """
    summary = measure(folder, "-m", "snakemake", "--summary", "--cores", "2", *options).text
    rows = [line.split("\t") for line in summary.splitlines() if line.startswith("results/")]
    create(folder, [row[0] for row in rows])
    # Snakemake waits a tenth of a second before it touches each file.
    touch = (
        "from snakemake.executors import touch; touch.Executor.SLEEPING_TIME = 0;"
        "from snakemake.cli import main; main()"
    )
    measure(
        folder,
        "-c",
        touch,
        "--touch",
        "--forceall",
        "--quiet",
        "all",
        "--scheduler",
        "greedy",
        "--cores",
        "100000",
        *options,
    )
    return [row[0] for row in rows]


@pytest.fixture(scope="module")
def table():
    """Rows of the table, printed at the end."""
    rows: list[str] = []
    yield rows
    print(
        "\n\n| subjects, models x instructions + others | targets | jobs | nothing there: s (MB) "
        "| data there | everything done | with its ledger | moved | ledger: MB |"
        "\n|---|---|---|---|---|---|---|---|---|"
    )
    print("\n".join(rows))


@pytest.mark.parametrize("size", SIZES[os.environ.get("BENCH_DAG", "quick")], ids=str)
def test_dry_run(size, table, tmp_path, goals, goal):
    checkout = Checkout.fresh(tmp_path / "checkout")
    config = configuration(size)
    (checkout.root / "size.yaml").write_text(yaml.safe_dump(config))
    options = ["--configfile", "size.yaml"]
    study = load_study(config)
    dry_run = ["-m", "snakemake", "-n", "--cores", "2", *options]
    rooms = Rooms.of(study)
    n_targets = len(rooms.encoding.all_fits) + len(rooms.models.all_embeddings)

    nothing = measure(checkout.root, *dry_run)
    create(checkout.root, Inputs(study).required())
    data = measure(checkout.root, *dry_run)
    outputs = finish(checkout.root, options)
    shutil.rmtree(checkout.root / "results/ledger", ignore_errors=True)
    done = measure(checkout.root, *dry_run)
    ledger = write_ledger(checkout.root, study, outputs)
    measure(checkout.root, *dry_run)  # takes notes of what agrees
    known = measure(checkout.root, *dry_run)
    shutil.rmtree(checkout.root / ".snakemake")
    for output in outputs:
        (checkout.root / output).touch()
    moved = measure(checkout.root, *dry_run)
    for cost in (done, known, moved):
        assert "Nothing to be done" in cost.text, cost.text[-3000:]
        assert "missing provenance" not in cost.text

    jobs = [line.split()[1] for line in data.text.splitlines() if line.startswith("total ")]
    name = f"{size.subjects}, {size.instructed} x {size.instructions} + {size.others}"
    costs = (nothing, data, done, known, moved)
    shown = [f"{cost.seconds:.1f} ({cost.megabytes:.0f})" for cost in costs]
    row = [name, f"{n_targets:,}", jobs[-1], *shown, f"{ledger:.1f}"]
    table.append("| " + " | ".join(row) + " |")
    worst = max(cost.seconds for cost in (nothing, data, done))
    most = max(cost.megabytes for cost in (nothing, data, done))
    limit = PAPER_SECONDS if size == PAPER else TENFOLD_SECONDS
    goals.append(goal(f"dry run of {name}: CPU s", worst, limit, at_most=True))
    if size == PAPER:
        goals.append(goal(f"dry run of {name}: MB", most, PAPER_MEGABYTES, at_most=True))
        goals.append(goal(f"ledger of {name}: MB", ledger, 20.0, at_most=True))
        ratio = known.seconds / done.seconds
        goals.append(goal(f"dry run of {name}, with its ledger", ratio, 1.1, at_most=True))
        goals.append(goal("the same, moved", moved.seconds / done.seconds, 2.0, at_most=True))


def test_parsing(tmp_path, goals, goal):
    checkout = Checkout.fresh(tmp_path / "checkout")
    costs = [
        measure(checkout.root, "-m", "snakemake", "--list-rules", "--cores", "2").seconds
        for _ in range(3)
    ]
    print(f"\nparsing: {sorted(costs)[1]:.2f} s")
    goals.append(goal("parsing: CPU s", sorted(costs)[1], PARSE_SECONDS, at_most=True))
