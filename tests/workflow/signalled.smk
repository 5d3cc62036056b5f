# Stays for long where a test says (planning, running, late), once; then makes one file.
import os
import time
from pathlib import Path

from snakemake.persistence.file import FilePersistence

from brainstruct.workflow import signals as ours

place = "done" if Path("again").exists() else os.environ["PLACE"]
ours.KILL_AFTER, ours.EXIT_AFTER = 1.5, 3
if workflow.is_main_process and os.environ["WITH_SIGNALS"] == "1":
    signals = ours.Signals.begin(workflow)
else:
    signals = None


def stay(*_):
    Path("there").touch()
    time.sleep(300)


if place == "parsing":
    stay()
if place == "locking":  # files are locked, and no scheduler is there
    write_locks = FilePersistence._write_locks

    def write_and_stay(self, lock_type, keys):
        write_locks(self, lock_type, keys)
        if lock_type == "output":
            stay()

    FilePersistence._write_locks = write_and_stay


onstart:
    if signals:
        signals.stand()
    if place == "starting":
        stay()
    if signals:
        signals.send()


onerror:
    if signals:
        signals.close()
    Path("closed").touch()


rule made:
    output:
        "made.txt",
    params:
        place=place,
    shell:
        "case {params.place} in"
        " running) touch there; (sleep 300; true); true;;"
        " stubborn) trap '' TERM INT HUP; touch there; sleep 300;;"
        " late) touch there;;"
        " *) touch {output};;"
        " esac"
