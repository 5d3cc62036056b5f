"""Rule fetch_checkpoint: a checkpoint complete on disk, with its identity."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from brainstruct.config.models import Checkpoint
from brainstruct.jobs.binding import FromConfig
from brainstruct.jobs.run import log, script
from brainstruct.models.fetch import checkpoint_in_folder, fetch_from_hub
from brainstruct.store.files import write_json


@script
def fetch_checkpoint(
    *,
    source: Checkpoint,
    folder: Path,
    checkpoint: str,
    checkpoints: Annotated[dict[str, Checkpoint], FromConfig("checkpoints")],
    manifest: Path,
    stamps: Path,
) -> None:
    """Download, or take the configured folder; write the manifest."""
    if source.path is not None:
        found = checkpoint_in_folder(Path(source.path))
    else:
        endpoint = checkpoints[checkpoint].endpoint
        found = fetch_from_hub(str(source.hub), source.revision, folder, endpoint)
    log.info("%s: %d files, digest %s", found.source, len(found.files), found.digest[:12])
    content = asdict(found)
    write_json(content.pop("stamps"), stamps)
    write_json(content, manifest)
