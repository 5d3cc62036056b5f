"""The files of a workflow that is used from its repository, without a checkout.

For ``module: snakefile: github(...)`` Snakemake keeps a bare clone and takes single files out of
it. A library is a folder: the revision is unpacked beside the clones, once. This file is run before
the library can be imported, so it imports nothing of that.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from snakemake.exceptions import WorkflowError

PARTS = ("Snakefile", "rules", "workflow_scripts", "config", "envs", "report", "profiles")
"""What a run reads; tests and documents stay behind."""


def unpack(folder: Any, cache: Path) -> str:
    """Unpack the revision of a hosted workflow, unless it has been; return where it is.

    `folder` is that of the Snakefile in its repository, ``workflow.current_basedir``;
    `cache`, Snakemake's of source files, holds the revision in ``brainstruct/<commit>``.
    A `WorkflowError` if the source is no repository of a host, or git cannot unpack it.
    """
    if not hasattr(folder, "hosted_repo"):
        raise WorkflowError(
            f"{folder}: single files cannot be used as a module. Name a clone on disk, or "
            'github("owner/brainstruct", path="Snakefile", tag="...")'
        )
    clone = folder.hosted_repo.repo.git_dir
    commit = _git(clone, "rev-parse", "--verify", f"{folder.ref}^{{commit}}")
    home = cache / "brainstruct" / commit
    if not home.is_dir():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=f".{commit[:12]}-") as scratch:
            files, index = Path(scratch, "files"), Path(scratch, "index")
            files.mkdir()
            # An index of its own: other runs use the clone, too.
            _git(clone, f"--work-tree={files}", "checkout", commit, "--", *PARTS, index=index)
            _publish(files, home)
    return str(home)


def _publish(files: Path, home: Path) -> None:
    """Give a folder its name; if another run was faster, its folder has the same content."""
    try:
        files.rename(home)
    except OSError:
        if not home.is_dir():
            raise
        shutil.rmtree(files)


def _git(clone: str, *arguments: str, index: Path | None = None) -> str:
    environment = os.environ | ({"GIT_INDEX_FILE": str(index)} if index else {})
    command = ["git", "-C", clone, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        reason = " ".join(done.stderr.split())
        raise WorkflowError(f"{clone}: git cannot show the workflow's files ({reason})")
    return done.stdout.strip()
