"""Rule discard_embeddings: deletes embeddings that nothing of the study needs any more."""

from typing import Annotated, Any

from brainstruct.config.loading import load_study
from brainstruct.jobs.binding import FromConfig
from brainstruct.jobs.run import log, script
from brainstruct.store.ledger import Ledger
from brainstruct.workflow.discarding import discard
from brainstruct.workflow.places import Places
from brainstruct.workflow.records import Records
from brainstruct.workflow.rooms import Rooms


@script
def discard_embeddings(*, config: Annotated[dict[str, Any], FromConfig("")]) -> None:
    """Delete them, model by model, and say what stays and why."""
    rooms = Rooms.of(load_study(config))
    places = Places.of(rooms.data.study)
    records = Records(Ledger(places.root), places)
    records.take_in()
    freed = discard(rooms, records)
    size = freed.bytes / 1e9
    log.info("%d files deleted, %.1f GB; the ledger remembers them", freed.files, size)
    for model in freed.waiting:
        log.warning(
            "embeddings of %s are still needed: not everything made of them is there", model
        )
