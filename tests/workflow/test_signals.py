"""A run that is told to end does so soon, leaves neither jobs nor locks, and can go on."""

from __future__ import annotations

import itertools
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from signalled import Run

from brainstruct.workflow.signals import SIGNALS, Signals, is_program

PLACES = ("parsing", "locking", "starting", "running", "late", "stubborn")
"""Where a run may be; a stubborn job ignores signals."""

FEW = [
    ("locking", signal.SIGTERM, False),
    ("running", signal.SIGHUP, False),
    ("late", signal.SIGTERM, True),
]
EVERY = list(itertools.product(PLACES, SIGNALS, (False, True)))


def check(run: Run, place: str, number: signal.Signals, *, group: bool) -> None:
    run.wait_until_there(place)
    seconds = run.tell(number, group=group)
    orphans, locks = run.orphans(), run.locks()
    assert (seconds < 30, orphans, locks) == (True, [], []), run.text
    assert run.process.returncode != 0
    done = run.again()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (run.folder / "made.txt").exists()


def check_all(folder, cases) -> None:
    """Check cases, two at once."""
    waiting, failures = list(enumerate(cases)), []

    def work() -> None:
        while waiting:
            index, (place, number, group) = waiting.pop()
            try:
                check(Run.begin(folder / str(index), place), place, number, group=group)
            except Exception as error:  # of any kind: it is shown below
                failures.append((place, number, group, error))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_a_run_that_is_told_to_end(tmp_path):
    check_all(tmp_path, FEW)


@pytest.mark.study
def test_every_other_signal_at_every_place(tmp_path):
    check_all(tmp_path, [case for case in EVERY if case not in FEW])


@pytest.fixture
def usual(monkeypatch):
    """Signals as a program finds them; afterwards, as the tests have them."""
    monkeypatch.setattr("sys.argv", ["/usr/bin/snakemake"])
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def workflow(*, main: bool = True, executor: str = "local", scheduler: object = None):
    return SimpleNamespace(
        modifier=SimpleNamespace(is_main_snakefile=lambda: main),
        local_exec=executor == "local",
        executor_plugin=SimpleNamespace(name=executor),
        scheduler=scheduler,
        execution_settings=SimpleNamespace(no_hooks=False, lock=True),
    )


def test_signals_of_a_module_s_host_and_those_ignored_are_left(usual):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    Signals.begin(workflow(main=False)).stand()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    taken = Signals.begin(workflow())
    assert signal.getsignal(signal.SIGTERM) == taken._came
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_programs_that_use_snakemake_keep_their_handlers(usual, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/usr/lib/pytest/__main__.py"])
    Signals.begin(workflow())
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert is_program(Path("/lib/snakemake/__main__.py"))


def test_the_scheduler_s_handler_is_replaced_and_what_it_has_met_counts(usual):
    scheduler = SimpleNamespace(_user_kill=None)
    taken = Signals.begin(workflow(scheduler=scheduler))
    signal.signal(signal.SIGTERM, lambda *_: None)  # as the scheduler does
    taken.stand()
    assert signal.getsignal(signal.SIGTERM) == taken._came
    scheduler._user_kill = "graceful"
    with pytest.raises(SystemExit):
        taken.stand()


@pytest.mark.parametrize(
    ("executor", "number", "leaves", "cancels"),
    [
        ("slurm", signal.SIGINT, False, True),
        ("slurm", signal.SIGTERM, True, False),
        ("slurm", signal.SIGHUP, True, False),
        ("other-cluster", signal.SIGTERM, False, True),
        ("local", signal.SIGTERM, False, False),
    ],
)
def test_which_jobs_of_a_cluster_go_on(executor, number, leaves, cancels):
    taken = Signals(workflow(executor=executor))
    taken._first = number
    assert (taken._leaves, taken._cancels) == (leaves, cancels)


def test_no_exception_meets_the_removal_of_locks():
    taken = Signals(workflow())

    def unlock() -> bool:
        return taken._may_leave(sys._getframe())

    assert not unlock()
    assert taken._may_leave(sys._getframe())
