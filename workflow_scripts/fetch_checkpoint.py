"""Rule fetch_checkpoint: a checkpoint complete on disk, with its identity."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from brainstruct.jobs.run import log, run_job
from brainstruct.models.fetch import checkpoint_in_folder, fetch_from_hub
from brainstruct.store.files import write_json


def fetch_checkpoint(job: Any) -> None:
    """Download, or take the configured folder; write the manifest."""
    source = job.params.source
    if source["path"] is not None:
        manifest = checkpoint_in_folder(Path(source["path"]))
    else:
        manifest = fetch_from_hub(
            source["hub"], source["revision"], Path(job.params.folder), source.get("endpoint")
        )
    log.info("%s: %d files, digest %s", manifest.source, len(manifest.files), manifest.digest[:12])
    content = asdict(manifest)
    write_json(content.pop("stamps"), job.output.stamps)
    write_json(content, job.output[0])


run_job(fetch_checkpoint, globals().get("snakemake"))
