"""What whoever controls a run does before the graph is built, and says when it stands.

Not for jobs: each parses the Snakefile again, and asks nothing of this.
"""

import atexit
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from snakemake.exceptions import WorkflowError

from brainstruct.config.sense import require_known_regions
from brainstruct.errors import InputError
from brainstruct.store.files import rebuild
from brainstruct.store.fingerprint import CODE_STAMP, stamp_of_code
from brainstruct.store.ledger import FOLDER, Ledger
from brainstruct.workflow.discarding import discard
from brainstruct.workflow.leftovers import say
from brainstruct.workflow.overruled import overruled
from brainstruct.workflow.places import Places
from brainstruct.workflow.records import KEPT, Records
from brainstruct.workflow.reporting import is_asked, show_what_is_there
from brainstruct.workflow.requests import Requests, partitions_of, share_machine
from brainstruct.workflow.rooms import Rooms
from brainstruct.workflow.signals import Signals
from brainstruct.workflow.targets import require_known
from brainstruct.workflow.why import again, reasons

DRY = {"-n", "--dry-run", "--dryrun"}
SHOWN = ("answers", "figures", "methods", "tables", "viewer")  # folders that reports show
NO_GRAPH = {"--lint", "--list-rules", "--list", "-l", "--list-target-rules", "--lt", "--unlock"}


class Control:
    """The look at the ledger, for one run."""

    def __init__(self, workflow: Any, rooms: Rooms, arguments: Sequence[str]) -> None:
        self._workflow = workflow
        self.dry = not DRY.isdisjoint(arguments) or _has_short(arguments, "n")
        self._arguments = arguments
        places = Places.of(rooms.data.study)
        layers = {model.key: model.fitted_layers for model in rooms.data.study.models}
        self.records = Records(Ledger(places.root), places, layers=layers)
        self._rooms = rooms
        self._contents = rooms.data.inputs.contents
        self.requests = Requests(workflow, places.root)
        self.signals = Signals(workflow) if self.dry else Signals.begin(workflow)

    @classmethod
    def begin(cls, workflow: Any, rooms: Rooms, arguments: Sequence[str]) -> Self | None:
        """Look at the ledger, if this is a run, or a question, of jobs; `None` otherwise."""
        if not workflow.is_main_process or not NO_GRAPH.isdisjoint(arguments):
            return None
        require_known_regions(rooms.data.study)
        found = cls(workflow, rooms, arguments)
        os.environ[CODE_STAMP] = stamp_of_code()
        found._stand_around(workflow._build_dag)
        if (Path(rooms.data.root) / FOLDER).is_dir():
            found._look()
            rooms.models.discarded.open(workflow, found.records, arguments)
        if found.dry:
            atexit.register(found.explain)
        return found

    def _stand_around(self, build: Callable[[], None]) -> None:
        """Look at what was typed before the graph is built, and at what reports show after."""

        def build_and_look() -> None:
            share_machine(self._workflow)
            dag = self._workflow.dag
            typed = {*dag.targetfiles, *dag.forcefiles, *dag.untilfiles, *dag.omitfiles}
            try:
                require_known(sorted(typed), list(self._workflow.rules), self._rooms)
            except InputError as error:
                raise WorkflowError(str(error)) from None
            build()
            if is_asked(self._arguments):
                show_what_is_there(self._workflow)

        self._workflow._build_dag = build_and_look

    def _look(self) -> None:
        if not self.dry:
            self.records.take_in()
        elif not any(Path(KEPT, "locks").glob("*")):  # entries of a run that goes on are not ours
            self.records.look_at_new()
        self.records.give_back()
        if is_asked(self._arguments):
            self._require_what_reports_show()
        if unreadable := self.records.ledger.unreadable:
            say(f"{unreadable} lines of {self.records.ledger.folder} are damaged; what they spoke "
                 "of is judged by Snakemake's own records and times.")  # fmt: skip

    def _require_what_reports_show(self) -> None:
        changed = self.records.changed_since(SHOWN)
        if changed:
            more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
            fault = f"is not what was written there: its content was changed since{more}"
            raise InputError(changed[0], fault, rebuild(changed[0]))

    def explain(self) -> None:
        """Say in words which settings made jobs run again, and which take from their requests."""
        if getattr(self._workflow, "dag", None) is not None:
            with suppress(InputError):  # who only asks may have no right to write there
                self._contents.write()
            dag = self._workflow.dag
            lines = overruled(self._workflow, partitions_of(self._workflow))
            check = self._rooms.data.data_check()
            if any(check in job.output for job in dag.needrun_jobs(exclude_finished=False)):
                lines += self._rooms.data.inputs.said_of_missing()
            for line in reasons(dag, self.records) + again(dag, self.records) + lines:
                say(line)

    def end(self, *, succeeded: bool = False) -> None:
        """Write down what the run has made; delete what is not to be kept, name what is left."""
        self.signals.close()
        self._contents.write()
        self.records.take_in()
        if succeeded:
            self.records.adopt(self._workflow.dag)
        if succeeded and not self._rooms.data.study.embedding.keep:
            freed = discard(self._rooms, self.records)
            if freed.files:
                say(f"{freed.files} files of embeddings deleted, {freed.bytes / 1e9:.1f} GB "
                     "(embedding.keep is false).")  # fmt: skip
        if succeeded:
            from brainstruct.workflow.dropped import said_of_dropped  # only now, as above

            for line in said_of_dropped(self._rooms, self.records):
                say(line)

    def say_what_failed(self) -> None:
        """Say it last, where it is read: the words of jobs may be thousands of lines above."""
        from brainstruct.workflow.failing import said_of  # only now: parsing is to be quick

        for line in said_of(self._workflow, self._rooms.data.root):
            say(line)


def _has_short(arguments: Sequence[str], letter: str) -> bool:
    """Whether a flag is among short ones that are joined, as in ``-npr``."""
    return any(
        word.startswith("-") and word[1:].isalpha() and not word.startswith("--") and letter in word
        for word in arguments
    )
