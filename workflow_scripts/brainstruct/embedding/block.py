"""Embeds one block of stimuli with one model and instruction, resumably."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from os import PathLike
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from brainstruct.embedding.batching import Forward, join
from brainstruct.embedding.prefetch import Upload, prefetch
from brainstruct.embedding.progress import Progress
from brainstruct.embedding.shards import ShardFolder
from brainstruct.embedding.stimuli import Stimuli, average_rows, prepare
from brainstruct.embedding.storage import Storage, empty_block, label
from brainstruct.models.interface import Batch, FeatureModel, Features
from brainstruct.store import arrays

log = logging.getLogger(__name__)


# Long: what its parameters and its result are stands only here.
def embed_block(
    model: FeatureModel,
    stimuli: Stimuli,
    ids: ArrayLike,
    *,
    instruction: str | None,
    work_folder: str | PathLike[str],
    identity: Mapping[str, object],
    batch_size: int = 64,
    images_per_shard: int = 512,
    storage: Storage = "float16",
) -> xr.Dataset:
    """Embed the block of stimuli `ids`, each once.

    Stimuli are asked for from a background thread, ahead of the model, and a batch holds
    images of one size; `instruction` is `None` for models that follow none. Finished shards
    of `images_per_shard` stimuli are kept in `work_folder` until `discard_shards`.
    `identity` is what the result depends on and this function cannot know (checkpoint
    revision, identity of the code, of the data set), as JSON; `block_identity` completes it.
    `batch_size` is halved, for the rest of the job, when GPU memory runs out; `storage` is
    the precision of the states.

    Returns
    -------
    xarray.Dataset
        ``embedding`` (layer, stimulus, feature); ``response`` (text, empty for
        models that respond nothing), ``n_tokens`` (tokens averaged; 0: an empty
        response) and ``truncated`` (the response was cut) by stimulus.

    Raises
    ------
    InputError
        If states are not finite or too large for `storage`, GPU memory does not
        suffice for one stimulus, or a stimulus lacks its captions.
    ValueError
        If the block is empty or has a stimulus twice, or stimuli and
        instruction do not suit the model.
    """
    wanted = np.asarray(ids, dtype=np.int64)
    if wanted.ndim != 1 or len(wanted) == 0 or len(np.unique(wanted)) != len(wanted):
        raise ValueError("a block is a list of stimuli, each once, at least one")
    whole = block_identity(model, wanted, instruction, storage, identity)
    shards = ShardFolder(Path(work_folder), whole)
    spans = np.split(wanted, range(images_per_shard, len(wanted), images_per_shard))
    block = empty_block(wanted, model.n_layers, model.feature_dim, storage)
    pending = []
    for number, span in enumerate(spans):
        kept = shards.read(number, _part(span))
        if kept is None:
            pending.append(number)
        else:
            _fill(block, number * images_per_shard, kept)
    n_finished = len(wanted) - sum(len(spans[number]) for number in pending)
    if n_finished:
        log.info("an earlier run has left %d of %d stimuli", n_finished, len(wanted))

    progress = Progress(len(wanted), n_finished)
    forward = Forward(model, batch_size)
    parts: list[Features] = []
    seen: list[int] = []
    upload = Upload(model)

    def load(key: tuple[int, list[int]]) -> tuple[Batch, list[int]]:
        batch, rows = prepare(model, stimuli, key[1], instruction)
        return upload(batch), rows

    alike = {number: stimuli.by_size(spans[number].tolist()) for number in pending}
    batches = prefetch(load, _batches(alike, batch_size))
    # Closed before the caller closes what the background thread reads from.
    with closing(batches):
        for (number, batch_ids), (batch, rows) in batches:
            parts.append(average_rows(forward(batch), rows))
            seen += batch_ids
            progress.advance(len(batch_ids))
            if len(seen) == len(spans[number]):
                shard = label(join(parts), seen, storage).sel(stimulus=spans[number])
                shards.write(number, _part(spans[number]), shard)
                log.info("finished shard %d of %d", number + 1, len(spans))
                _fill(block, number * images_per_shard, shard)
                parts, seen = [], []
    return block


def write_block(
    block: xr.Dataset, path: str | PathLike[str], *, provenance: Mapping[str, object]
) -> None:
    """Publish what `embed_block` returned, one chunk per layer, with its `block_identity`."""
    arrays.write_dataset(block, path, provenance=provenance, chunks={"embedding": {"layer": 1}})


def discard_shards(work_folder: str | PathLike[str]) -> None:
    """Delete the shards of a block, once all files of its job are published.

    Not before: Snakemake deletes every file of a job that fails, those that were
    published among them.
    """
    ShardFolder(Path(work_folder), {}).discard()


def block_identity(
    model: FeatureModel,
    ids: ArrayLike,
    instruction: str | None,
    storage: Storage,
    identity: Mapping[str, object],
) -> dict[str, object]:
    """Return all that an embedded block depends on; parameters as in `embed_block`.

    That is `identity` and what the model, the instruction and the list of stimuli
    add to it. The device and the batch size are left out: results do not depend
    on them beyond rounding.
    """
    sampling = model.options.sampling
    told = None if instruction is None else hashlib.sha256(instruction.encode()).hexdigest()
    return {
        **identity,
        "family": type(model).__name__,
        "n_layers": model.n_layers,
        "feature_dim": model.feature_dim,
        "random_seed": model.options.random_seed,
        "pooling": model.options.pooling,
        "max_new_tokens": model.options.max_new_tokens,
        "sampling": None if sampling is None else asdict(sampling),
        "dtype": str(model.dtype).removeprefix("torch."),
        "storage": storage,
        "instruction_sha256": told,
        "stimuli_sha256": _hash_ids(ids),
    }


def _batches(
    alike: Mapping[int, Sequence[list[int]]], batch_size: int
) -> Iterator[tuple[int, list[int]]]:
    """Cut shards, whose stimuli are divided by size, into batches: of one shard and one size."""
    for number, parts in alike.items():
        for part in parts:
            for start in range(0, len(part), batch_size):
                yield number, part[start : start + batch_size]


def _fill(block: xr.Dataset, start: int, shard: xr.Dataset) -> None:
    """Put a shard into its place in the block."""
    here = {"stimulus": slice(start, start + shard.sizes["stimulus"])}
    for name, variable in shard.data_vars.items():
        block[name][here] = variable.values


def _part(span: NDArray[np.int64]) -> dict[str, object]:
    """Return what a shard of these stimuli alone depends on."""
    return {"shard_sha256": _hash_ids(span)}


def _hash_ids(ids: ArrayLike) -> str:
    """Return the SHA-256 of a list of stimuli."""
    return hashlib.sha256(np.asarray(ids, dtype="<i8").tobytes()).hexdigest()
