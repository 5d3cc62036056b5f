"""Embeds one block of stimuli with one model and instruction, resumably."""

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

from brainstruct.embedding.ahead import prefetch
from brainstruct.embedding.batching import Forward, join
from brainstruct.embedding.progress import Progress
from brainstruct.embedding.shards import ShardFolder
from brainstruct.embedding.stimuli import Stimuli, average_rows, prepare
from brainstruct.embedding.storage import Storage, empty_block, label
from brainstruct.embedding.upload import Upload
from brainstruct.models.interface import Batch, FeatureModel, Features
from brainstruct.store import arrays

log = logging.getLogger(__name__)


# Long: what its parameters and its result are stands only here.
def embed_block(
    model: FeatureModel,
    stimuli: Stimuli,
    ids: ArrayLike,
    *,
    instructions: Mapping[str, str | None],
    work_folder: str | PathLike[str],
    identity: Mapping[str, object],
    layers: Sequence[int] | None = None,
    batch_size: int = 64,
    images_per_shard: int = 512,
    storage: Storage = "float16",
) -> Iterator[xr.Dataset]:
    """Embed the block of stimuli `ids`, each once, with each instruction; yield a data set of each.

    Stimuli are asked for from a background thread, ahead of the model, and a batch holds images of
    one size; all instructions are given to it before the next. `instructions` are texts by key; the
    text is `None` for models that follow none. Finished shards of `images_per_shard` stimuli are
    kept in ``work_folder/key`` until `discard_shards`. `identity` is what the result depends on and
    this function cannot know (checkpoint revision, identity of the code, of the data set), as JSON;
    `block_identity` completes it. `layers` are those whose states are kept, by default all, in the
    precision of `storage`. `batch_size` is the first one: it grows while a GPU has room, and is
    halved, for the rest of the job, when memory runs out.

    Yields
    ------
    xarray.Dataset
        ``embedding`` (layer, stimulus, feature); ``response`` (text, empty for
        models that respond nothing), ``n_tokens`` (tokens averaged; 0: an empty
        response) and ``truncated`` (the response was cut) by stimulus; of models that may
        think, ``thinking_share`` (of a response's tokens) besides.

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
    spans = np.split(wanted, range(images_per_shard, len(wanted), images_per_shard))
    kept = range(model.n_layers) if layers is None else layers
    works = {
        key: ShardFolder(
            Path(work_folder) / key, block_identity(model, wanted, text, kept, storage, identity)
        )
        for key, text in instructions.items()
    }
    forward = Forward(model, batch_size)
    upload = Upload(model)

    def missing() -> dict[int, list[str]]:
        """Return the keys of the instructions that lack a shard, by its number."""
        found = {
            number: [key for key in works if works[key].read(number, _part(span)) is None]
            for number, span in enumerate(spans)
        }
        return {number: keys for number, keys in found.items() if keys}

    def compute(pending: Mapping[int, list[str]]) -> None:
        n_all = len(wanted) * len(works)
        n_finished = n_all - sum(len(spans[number]) * len(pending[number]) for number in pending)
        if n_finished:
            log.info("an earlier run has left %d of %d stimuli", n_finished, n_all)
        progress = Progress(n_all, n_finished)
        parts: dict[str, list[Features]] = {key: [] for key in works}
        seen: list[int] = []

        def load(key: tuple[int, list[int]]) -> list[tuple[Batch, list[int]]]:
            shown = stimuli.read_once(key[1])
            prepared = (
                prepare(model, shown, key[1], instructions[asked]) for asked in pending[key[0]]
            )
            return [(upload(batch), rows) for batch, rows in prepared]

        alike = {number: stimuli.by_size(spans[number].tolist()) for number in pending}
        batches = prefetch(load, _batches(alike, forward))
        # Closed before the caller closes what the background thread reads from.
        with closing(batches):
            for (number, batch_ids), loaded in batches:
                features = forward([batch for batch, _ in loaded])
                for key, of_one, (_, rows) in zip(pending[number], features, loaded, strict=True):
                    parts[key].append(average_rows(of_one, rows))
                seen += batch_ids
                progress.advance(len(batch_ids) * len(loaded))
                if len(seen) == len(spans[number]):
                    for key in pending[number]:
                        shard = label(join(parts[key]), seen, kept, storage)
                        shard = shard.sel(stimulus=spans[number])
                        works[key].write(number, _part(spans[number]), shard)
                        parts[key] = []
                        log.info("finished shard %d of %d of %s", number + 1, len(spans), key)
                    seen = []

    for work in works.values():
        empty = empty_block(wanted, kept, model.feature_dim, storage)
        # Another run of this job that comes to its end beside this one takes shards away.
        while (block := _whole(work, spans, empty)) is None:
            compute(missing())
        yield block


def _whole(
    work: ShardFolder, spans: Sequence[NDArray[np.int64]], block: xr.Dataset
) -> xr.Dataset | None:
    """Put the shards of a block into it; `None` if one is missing."""
    start = 0
    for number, span in enumerate(spans):
        shard = work.read(number, _part(span))
        if shard is None:
            return None
        here = {"stimulus": slice(start, start + len(span))}
        for name, variable in shard.data_vars.items():
            if name not in block:  # not all models have it
                block[name] = "stimulus", np.zeros(block.sizes["stimulus"], variable.dtype)
            block[name][here] = variable.values
        start += len(span)
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
    layers: Sequence[int],
    storage: Storage,
    identity: Mapping[str, object],
) -> dict[str, object]:
    """Return all that an embedded block depends on; parameters as in `embed_block`.

    That is `identity` and what the model, the instruction and the list of stimuli add to it. The
    device and the batch size are left out: results do not depend on them beyond rounding.
    """
    sampling = model.options.sampling
    told = None if instruction is None else hashlib.sha256(instruction.encode()).hexdigest()
    kept = {"layers": list(layers)} if len(layers) < model.n_layers else {}
    return {
        **identity,
        **kept,
        **model.options.later,
        "family": type(model).__name__,
        "n_layers": model.n_layers,
        "feature_dim": model.feature_dim,
        "random_seed": model.options.random_seed,
        "pooling": model.options.pooling,
        "max_new_tokens": model.options.max_new_tokens,
        "sampling": None if sampling is None else asdict(sampling),
        "dtype": str(model.dtype).removeprefix("torch."),
        "image_backend": model.image_backend,
        "storage": storage,
        "instruction_sha256": told,
        "prompt": None if instruction is None else model.prompt(instruction),
        "stimuli_sha256": _hash_ids(ids),
    }


def _batches(
    alike: Mapping[int, Sequence[list[int]]], forward: Forward
) -> Iterator[tuple[int, list[int]]]:
    """Cut shards, whose stimuli are divided by size, into batches: of one shard and one size."""
    for number, parts in alike.items():
        for part in parts:
            start = 0
            while start < len(part):
                end = start + forward.batch_size  # as it is by now
                yield number, part[start:end]
                start = end


def _part(span: NDArray[np.int64]) -> dict[str, object]:
    """Return what a shard of these stimuli alone depends on."""
    return {"shard_sha256": _hash_ids(span)}


def _hash_ids(ids: ArrayLike) -> str:
    """Return the SHA-256 of a list of stimuli."""
    return hashlib.sha256(np.asarray(ids, dtype="<i8").tobytes()).hexdigest()
