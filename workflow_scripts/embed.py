"""Rule embed: states of every layer of one model for one block of images."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import xarray as xr

from brainstruct.embedding.block import block_identity, discard_shards, embed_block, write_block
from brainstruct.embedding.shards import files_identity
from brainstruct.embedding.stimuli import Stimuli
from brainstruct.jobs.run import log, run_job
from brainstruct.models.interface import FeatureModel
from brainstruct.models.manifest import read_manifest, require_unchanged
from brainstruct.models.opening import open_model
from brainstruct.nsd.captions import read_captions
from brainstruct.nsd.locate import locate
from brainstruct.nsd.stimuli import StimulusReader
from brainstruct.store.checksums import sha256_of
from brainstruct.store.tables import read_table


def open_stimuli(job: Any, model: FeatureModel, block: pd.DataFrame, stack: ExitStack) -> Stimuli:
    """Open what the model looks at; images stay open until the stack is closed."""
    layout = locate(job.params.layout)
    if model.modality == "text":
        captions = read_captions(layout, block)
        return Stimuli(captions=lambda ids: [captions[nsd_id] for nsd_id in ids])
    reader = stack.enter_context(StimulusReader(layout.stimuli_file))

    def images(ids: Sequence[int]) -> list[Any]:
        return [reader.image(nsd_id) for nsd_id in ids]

    return Stimuli(images=images)


def describe(embedded: xr.Dataset) -> None:
    """Log what the responses were like."""
    log.info(
        "%.1f tokens per stimulus, %d empty and %d truncated responses",
        float(embedded["n_tokens"].mean()),
        int((embedded["n_tokens"] == 0).sum()),
        int(embedded["truncated"].sum()),
    )


def embed(job: Any) -> None:
    """Embed the block, one instruction after another; go on from an interrupted job's shards."""
    # The client of the hub reads it when it is imported, with the model's family: not yet.
    os.environ["HF_HUB_OFFLINE"] = "1"
    torch.set_num_threads(job.threads)
    checkpoint = read_manifest(Path(job.input.checkpoint), Path(job.params.stamps))
    folder = require_unchanged(checkpoint)
    block = read_table(job.input.block, ["nsd_id", "coco_id", "coco_split"])
    running, storage = job.config["embedding"], job.params.model["storage"]
    model = open_model(folder, job.params.model, running["device"])
    identity = {
        "model": job.wildcards.model,
        "checkpoint": {
            name: getattr(checkpoint, name) for name in ("source", "revision", "digest")
        },
        "embed_code": job.params.code,
    }
    # Snakemake sees to it that results are of these stimuli, and knows nothing of shards.
    of_shards = identity | {"stimuli": files_identity(job.input.stimuli)}
    log.info("%d stimuli on %s, %s", len(block), model.device, model.dtype)
    work_folders = {key: Path(job.params.work) / key for key in job.params.instructions}
    with ExitStack() as stack:
        stimuli = open_stimuli(job, model, block, stack)
        for path, (key, instruction) in zip(
            job.output, job.params.instructions.items(), strict=True
        ):
            log.info("instruction %s: %s", key, instruction)
            embedded = embed_block(
                model,
                stimuli,
                block["nsd_id"].to_numpy(),
                instruction=instruction,
                work_folder=work_folders[key],
                identity=of_shards,
                batch_size=running["batch_size"],
                images_per_shard=running["images_per_shard"],
                storage=storage,
            )
            describe(embedded)
            whole = block_identity(model, embedded["nsd_id"], instruction, storage, identity)
            environment = {
                "instruction": instruction,
                "device": str(model.device),
                "torch": torch.__version__,
                "transformers": version("transformers"),
                "block_sha256": sha256_of(job.input.block),
            }
            write_block(embedded, path, provenance=whole | environment)
    for folder in work_folders.values():
        discard_shards(folder)


run_job(embed, globals().get("snakemake"))
