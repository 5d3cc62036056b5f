"""Rule fetch_checkpoint: a checkpoint complete on disk, with its identity."""

from dataclasses import asdict
from pathlib import Path

from brainstruct.config.models import Checkpoint
from brainstruct.jobs.run import log, run_job
from brainstruct.models.fetch import checkpoint_in_folder, fetch_from_hub
from brainstruct.store.files import write_json


def fetch_checkpoint(*, source: Checkpoint, folder: Path, manifest: Path, stamps: Path) -> None:
    """Download, or take the configured folder; write the manifest."""
    if source.path is not None:
        found = checkpoint_in_folder(Path(source.path))
    else:
        found = fetch_from_hub(str(source.hub), source.revision, folder, source.endpoint)
    log.info("%s: %d files, digest %s", found.source, len(found.files), found.digest[:12])
    content = asdict(found)
    write_json(content.pop("stamps"), stamps)
    write_json(content, manifest)


run_job(fetch_checkpoint, globals().get("snakemake"))
