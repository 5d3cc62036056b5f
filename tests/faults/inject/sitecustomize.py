"""Kills this process at a planned step of its writing; imported by Python itself.

The folder of this file is put on PYTHONPATH and `BRAINSTRUCT_FAULTS` names a
folder of plans. A plan is an empty file ``RULE.STEP.N``: the process that runs
RULE ("snakemake" for the workflow's own process) dies by SIGKILL at its N-th
STEP. Whoever dies takes the plan away first, so every plan kills once. Other
troubles are in `trouble`. Nothing of the workflow knows of this.
"""

import builtins
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

from roles import role_of

PLANS = os.environ.get("BRAINSTRUCT_FAULTS", "")
TROUBLE = os.environ.get("BRAINSTRUCT_TROUBLE", "")


def install(plans, rule):
    """Count steps; die at the planned ones."""
    seen = Counter()

    def step(name):
        seen[name] += 1
        planned = f"{rule}.{name}.{seen[name]}"
        try:
            Path(plans, planned).rename(Path(plans, "done", planned))
        except FileNotFoundError:
            return False
        return True

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def around(module, function, name):
        original = getattr(module, function)

        def patched(*args, **options):
            if step(f"before-{name}"):
                die()
            result = original(*args, **options)
            if step(f"after-{name}"):
                die()
            return result

        setattr(module, function, patched)

    original_sync = os.fsync

    def sync(handle):
        # A machine that dies before the data are on disk leaves half of them.
        path = Path(f"/proc/self/fd/{handle}").resolve()
        if path.is_file() and step("torn"):
            os.truncate(path, path.stat().st_size // 2)
            die()
        return original_sync(handle)

    os.fsync = sync
    around(os, "fsync", "fsync")
    around(os, "replace", "rename")
    if rule == "snakemake":
        around(os, "remove", "remove")
        around(os, "chmod", "chmod")
        original_dump = json.dump

        def dump(content, file, *args, **options):
            if step("torn"):
                text = json.dumps(content)
                file.write(text[: len(text) // 2])
                file.flush()
                die()
            return original_dump(content, file, *args, **options)

        json.dump = dump
    elif step("start"):
        die()
    else:
        # What is imported last is near the end of a script's loading.
        original_import = builtins.__import__

        def imported(name, *args, **options):
            if name == "brainstruct.jobs.run" and step("import"):
                die()
            return original_import(name, *args, **options)

        builtins.__import__ = imported


if (PLANS or TROUBLE) and (found := role_of(sys.orig_argv)):
    if PLANS:
        install(PLANS, found)
    if TROUBLE:
        import trouble

        trouble.install(TROUBLE, found)
