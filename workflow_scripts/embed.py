"""Rule embed: states of every layer of one model for one block of images."""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from brainstruct.embedding.block import block_identity, embed_block, write_block
from brainstruct.embedding.stimuli import Stimuli
from brainstruct.jobs import log, run_job
from brainstruct.models.interface import FeatureModel, ModelOptions, Sampling
from brainstruct.models.registry import family_class
from brainstruct.nsd.captions import read_captions
from brainstruct.nsd.locate import locate
from brainstruct.nsd.stimuli import StimulusReader
from brainstruct.store import read_table


def load_model(job: Any, folder: str) -> FeatureModel:
    """Load the job's model as the study asks."""
    options = job.params.model
    sampling = options.get("sampling")
    return family_class(options["family"]).load(
        ModelOptions(
            checkpoint=Path(folder),
            n_layers=options["n_layers"],
            random_seed=options["random_seed"],
            pooling=options["pooling"],
            max_new_tokens=options["max_new_tokens"],
            sampling=None if sampling is None else Sampling(**sampling),
            device=job.config["embedding"]["device"],
            dtype=options["dtype"],
        )
    )


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


def embed(job: Any) -> None:
    """Embed the block; go on from the shards of an interrupted job."""
    # The client of the hub reads it when it is imported, with the model's family: not yet.
    os.environ["HF_HUB_OFFLINE"] = "1"
    torch.set_num_threads(job.threads)
    checkpoint = json.loads(Path(job.input.checkpoint).read_text(encoding="utf-8"))
    block = read_table(job.input.block, ["nsd_id", "coco_id", "coco_split"])
    model = load_model(job, checkpoint["folder"])
    instruction = job.params.instruction
    identity = {
        "model": job.wildcards.model,
        "checkpoint": {name: checkpoint[name] for name in ("source", "revision", "digest")},
        "embed_code": job.params.code,
    }
    running = job.config["embedding"]
    log.info("%d stimuli on %s, %s", len(block), model.device, model.dtype)
    with ExitStack() as stack:
        embedded = embed_block(
            model,
            open_stimuli(job, model, block, stack),
            block["nsd_id"].to_numpy(),
            instruction=instruction,
            work_folder=job.params.work,
            identity=identity,
            batch_size=running["batch_size"],
            images_per_shard=running["images_per_shard"],
            storage=job.params.model["storage"],
        )
    log.info(
        "%.1f tokens per stimulus, %d empty and %d truncated responses",
        float(embedded["n_tokens"].mean()),
        int((embedded["n_tokens"] == 0).sum()),
        int(embedded["truncated"].sum()),
    )
    whole = block_identity(
        model, embedded["nsd_id"], instruction, job.params.model["storage"], identity
    )
    environment = {
        "instruction": instruction,
        "device": str(model.device),
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "block_sha256": hashlib.sha256(Path(job.input.block).read_bytes()).hexdigest(),
    }
    write_block(
        embedded, job.output[0], work_folder=job.params.work, provenance=whole | environment
    )


run_job(embed, globals().get("snakemake"))
