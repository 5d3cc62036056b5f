"""Rule embed: states of every layer of one model for one block of images."""

import hashlib
import os
from contextlib import ExitStack
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import pandas as pd
import torch
import xarray as xr

from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.lists import read_block
from brainstruct.embedding.block import block_identity, discard_shards, embed_block, write_block
from brainstruct.embedding.shards import files_identity
from brainstruct.embedding.shared import BlockStore, key_of
from brainstruct.embedding.stimuli import Stimuli
from brainstruct.jobs.binding import FromConfig
from brainstruct.jobs.run import log, script
from brainstruct.models.interface import LATER, Device, FeatureModel
from brainstruct.models.manifest import Manifest, read_manifest, require_unchanged
from brainstruct.models.opening import ModelSettings, open_model, options_of
from brainstruct.store.fingerprint import sha256_of


def open_stimuli(
    dataset: DataSet, model: FeatureModel, images: pd.DataFrame, stack: ExitStack
) -> Stimuli:
    """Open what the model looks at; images stay open until the stack is closed."""
    if model.modality == "text":
        captions = dataset.reader().captions(images)
        return Stimuli(captions=lambda ids: [captions[stimulus] for stimulus in ids])
    pixels = stack.enter_context(dataset.reader().pixels())
    return Stimuli(
        images=lambda ids: [pixels.image(stimulus) for stimulus in ids],
        sizes=lambda ids: [pixels.size_of(stimulus) for stimulus in ids],
    )


def describe(embedded: xr.Dataset) -> None:
    """Log what the responses were like."""
    if "thinking_share" in embedded:
        log.info("%.0f %% of a response are thinking", 100 * embedded["thinking_share"].mean())
    log.info(
        "%.1f tokens per stimulus, %d empty and %d truncated responses",
        float(embedded["n_tokens"].mean()),
        int((embedded["n_tokens"] == 0).sum()),
        int(embedded["truncated"].sum()),
    )


def shared_identity(
    code: str, checkpoint: Manifest, settings: ModelSettings, device: Device, images: pd.DataFrame
) -> dict[str, object]:
    """Return what states depend on wherever they are computed, instruction and pixels apart.

    What the study calls its checkpoint, and where it lies, are left out.
    """
    _, dtype = options_of(Path(checkpoint.folder), settings, device).placement()
    told = {name: one for name, one in asdict(settings).items() if name not in LATER}
    decides = told | settings.later | {"dtype": str(dtype).removeprefix("torch.")}
    del decides["checkpoint"]
    ids = images["stimulus"].to_numpy("<i8").tobytes()
    return {
        "code": code,
        "checkpoint": checkpoint.digest,
        "settings": decides,
        "stimuli": hashlib.sha256(ids).hexdigest(),
    }


# Long: it reads as the job goes, with its arguments above.
@script
def embed(
    *,
    block: Path,
    stimuli: list[Path],
    manifest: Path,
    stamps: Path,
    folder: Path,
    model_settings: ModelSettings,
    layers: list[int],
    texts: dict[str, str | None],
    dataset: DataSet,
    work: Path,
    store: Annotated[Path | None, FromConfig("embeddings_store")],
    device: Annotated[Device, FromConfig("embedding.device")],
    batch_size: Annotated[int, FromConfig("embedding.batch_size")],
    images_per_shard: Annotated[int, FromConfig("embedding.images_per_shard")],
    model: str,
    threads: int,
    code: str,
    embeddings: list[Path],
) -> None:
    """Embed the block, one instruction after another; go on from an interrupted job's shards."""
    # The client of the hub reads it when it is imported, with the model's family: not yet.
    os.environ["HF_HUB_OFFLINE"] = "1"
    torch.set_num_threads(threads)
    # Where it lies is the configuration's business: it may have been moved.
    checkpoint = replace(read_manifest(manifest), folder=str(folder))
    images = read_block(block, dataset)
    origin = {name: getattr(checkpoint, name) for name in ("source", "revision", "digest")}
    identity = {"model": model, "checkpoint": origin, "embed_code": code}
    pixels = files_identity(stimuli)
    shared = BlockStore(store)
    anywhere = shared_identity(code, checkpoint, model_settings, device, images)
    anywhere["files"] = [[one["size"], one["sampled_sha256"]] for one in pixels]
    every = {key: anywhere | {"instruction": text} for key, text in texts.items()}
    kept = {"layers": layers} if len(layers) < model_settings.n_layers else {}
    known = {key: whole | kept for key, whole in every.items()}
    paths = dict(zip(texts, embeddings, strict=True))
    with ExitStack() as stack:
        # In one order everywhere: jobs that wait for each other's would wait without end.
        order = sorted(texts, key=lambda key: key_of(known[key]))
        found = {key: stack.enter_context(shared.turn(known[key], every[key])) for key in order}
        for key, there in found.items():
            if there is not None:
                log.info("instruction %s: found in %s: %s", key, store, there.name)
                shared.take(there, paths[key])

        def compute(asked: dict[str, str | None]) -> None:
            network = open_model(require_unchanged(checkpoint, stamps), model_settings, device)
            log.info("%d stimuli on %s, %s", len(images), network.device, network.dtype)
            blocks = embed_block(
                network,
                open_stimuli(dataset, network, images, stack),
                images["stimulus"].to_numpy(),
                instructions=asked,
                work_folder=work,
                # Snakemake sees to it that results are of these, and knows nothing of shards.
                identity=identity | {"stimuli": pixels},
                layers=layers,
                batch_size=batch_size,
                images_per_shard=images_per_shard,
                storage=model_settings.storage,
            )
            for (key, text), embedded in zip(asked.items(), blocks, strict=True):
                log.info("instruction %s: %s", key, text)
                describe(embedded)
                whole = block_identity(
                    network, embedded["stimulus"], text, layers, model_settings.storage, identity
                )
                environment = {
                    "instruction": text,
                    "device": str(network.device),
                    "torch": torch.__version__,
                    "transformers": version("transformers"),
                    "block_sha256": sha256_of(block),
                }
                write_block(embedded, paths[key], provenance=whole | environment)
                shared.add(paths[key], known[key])

        if asked := {key: text for key, text in texts.items() if found[key] is None}:
            compute(asked)
    for key in texts:
        discard_shards(work / key)
