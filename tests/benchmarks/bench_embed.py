"""Embedding against the straightforward way, in one run.

The straightforward way asks ``generate`` for all hidden states and averages
them afterwards, two images at a time, as memory allows with a real model.
``make bench`` runs this; it takes about two minutes on one core.

Memory is the peak of all living tensors during one batch of equal size, less
that of a generation that keeps no states at all: what the states alone cost.
"""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from brainstruct.embedding.block import embed_block
from brainstruct.embedding.stimuli import Stimuli
from brainstruct.models import tiny
from brainstruct.models.interface import ModelOptions
from brainstruct.models.opening import family_class
from brainstruct.models.responding import RespondingModel
from brainstruct.models.straightforward import straightforward_states

FAMILY = "instructblip"
BLOCKS, WIDTH, TOKENS = 8, 256, 64
N_OURS, N_NAIVE, PAIR = 64, 16, 2
INSTRUCTIONS = Path(__file__).parents[2] / "config/instructions.yaml"
INSTRUCTION = "Describe the most dominant color in the image."


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors that are alive.

    Attributes
    ----------
    peak : int
        Most bytes at any time since the start.
    """

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._alive = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        for value in tree_flatten(output)[0]:
            if isinstance(value, torch.Tensor):
                self._meet(value.untyped_storage())
        return output

    def _meet(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._known:
            return
        self._known.add(key)
        self._alive += storage.nbytes()
        self.peak = max(self.peak, self._alive)
        weakref.finalize(storage, self._part, key, storage.nbytes())

    def _part(self, key: int, size: int) -> None:
        self._known.discard(key)
        self._alive -= size


def peak_bytes(run: Callable[[], object]) -> int:
    with LiveBytes() as live:
        run()
    return live.peak


def pictures(n: int) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (n, 6, 6, 3), dtype=np.uint8)
    return [Image.fromarray(picture).resize((64, 64), Image.BICUBIC) for picture in coarse]


@contextmanager
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Iterator[RespondingModel]:
    folder = tmp_path_factory.mktemp("bench") / FAMILY
    tiny.build(FAMILY, folder, seed=1, n_blocks=BLOCKS, width=WIDTH)
    with one_thread():
        found = family_class(FAMILY).load(ModelOptions(folder, BLOCKS + 1, max_new_tokens=TOKENS))
        assert isinstance(found, RespondingModel)
        # Both ways are to generate all tokens: an answer that ends early is no work.
        object.__setattr__(found.decoding, "end_ids", {10**6})
        yield found


def naive(model: RespondingModel, shown: Sequence[Image.Image]) -> torch.Tensor:
    layers = range(model.n_layers)
    return torch.cat(
        [
            straightforward_states(model, shown[start : start + PAIR], INSTRUCTION, layers)
            for start in range(0, len(shown), PAIR)
        ]
    )


def test_images_per_second(model, tmp_path, goals, goal):
    shown = pictures(N_OURS)
    naive(model, shown[:PAIR])  # warm up

    start = time.perf_counter()
    (block,) = embed_block(
        model,
        Stimuli(images=lambda ids: [shown[stimulus] for stimulus in ids]),
        range(N_OURS),
        instructions={"IC": INSTRUCTION},
        work_folder=tmp_path / "work",
        identity={},
        batch_size=N_OURS,
        storage="float32",
    )
    ours = N_OURS / (time.perf_counter() - start)
    start = time.perf_counter()
    expected = naive(model, shown[:N_NAIVE])
    theirs = N_NAIVE / (time.perf_counter() - start)

    found = block["embedding"].values[:, :N_NAIVE].transpose(1, 0, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    print(
        f"\n{FAMILY}, {BLOCKS} blocks, width {WIDTH}, {TOKENS} tokens, one thread:"
        f"\n  embed, batch {N_OURS}, shards on disk: {ours:.2f} images/s"
        f"\n  generate(output_hidden_states=True), batch {PAIR}: {theirs:.2f} images/s"
        f"\n  speed ratio {ours / theirs:.1f}"
    )
    goals.append(goal("embedding: images per second, ratio", ours / theirs, 3))


def test_memory_of_states(model, goals, goal):
    shown = pictures(PAIR)
    inputs = model.on_device(model.prepare(shown, [INSTRUCTION] * PAIR))

    def generate(keep: bool) -> None:
        config = model.decoding.greedy_config()
        config.output_hidden_states = config.return_dict_in_generate = keep
        with torch.inference_mode():
            model.generate(inputs, generation_config=config)

    without = peak_bytes(lambda: generate(keep=False))
    ours = (peak_bytes(lambda: model.forward(inputs)) - without) / PAIR
    # What the library returns, before anything is averaged.
    theirs = (peak_bytes(lambda: generate(keep=True)) - without) / PAIR
    exact = 2 * model.n_layers * model.feature_dim * 4
    print(
        f"\n  states of one image: embed {ours / 2**10:.0f} KiB "
        f"(two float32 vectors per layer are {exact / 2**10:.0f}), "
        f"straightforward {theirs / 2**10:.0f} KiB"
        f"\n  memory ratio {theirs / ours:.0f}"
        f"\n  peak of everything but weights: embed {ours + without / PAIR:.3g}, "
        f"straightforward {theirs + without / PAIR:.3g} bytes per image"
    )
    goals.append(goal("embedding: memory of states, ratio", theirs / ours, 10))


@pytest.mark.parametrize("batch_size", [1, 2, 8, 32, 64])
def test_batch_size_is_the_lever(model, batch_size):
    shown = pictures(max(batch_size, 4))
    start = time.perf_counter()
    for first in range(0, len(shown), batch_size):
        group = shown[first : first + batch_size]
        model.embed(group, [INSTRUCTION] * len(group))
    rate = len(shown) / (time.perf_counter() - start)
    print(f"\n  batch {batch_size}: {rate:.2f} images/s")


LARGE = {
    "text_config": {
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "head_dim": 128,
    },
    "vision_config": {
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "image_size": 336,
        "patch_size": 14,
    },
}
SMALL = {"text_config": {"num_hidden_layers": 4}, "vision_config": {"image_size": 56}}


def scaled_llava(folder: Path, sizes: dict[str, dict[str, int]]) -> ModelOptions:
    """Give a tiny LLaVA other dimensions; its weights are drawn when it is loaded."""
    tiny.build("llava", folder, n_blocks=1)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    for part, changes in sizes.items():
        config[part] |= changes
    path.write_text(json.dumps(config))
    edge = config["vision_config"]["image_size"]
    seen = {"size": {"shortest_edge": edge}, "crop_size": {"height": edge, "width": edge}}
    path = folder / "processor_config.json"
    content = json.loads(path.read_text())
    content["image_processor"] |= seen
    content["patch_size"] = config["vision_config"]["patch_size"]
    path.write_text(json.dumps(content))
    n_layers = config["text_config"]["num_hidden_layers"] + 1
    return ModelOptions(folder, n_layers, random_seed=1, max_new_tokens=32)


def copy_bandwidth(device: torch.device, n_bytes: int = 1 << 28) -> float:
    """Bytes per second, read and written, of a copy within the device's memory."""
    source = torch.zeros(n_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    start = clock(device)
    for _ in range(10):
        target.copy_(source)
    return 20 * n_bytes / (clock(device) - start)


def clock(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


MEDIUM = {
    "text_config": {
        "hidden_size": 512,
        "intermediate_size": 1376,
        "num_hidden_layers": BLOCKS,
        "num_attention_heads": 8,
        "num_key_value_heads": 8,
        "head_dim": 64,
    },
    "vision_config": {"image_size": 336, "patch_size": 14},
}
"""LLaVA's 576 positions of an image, in eight blocks."""


def test_ten_instructions(tmp_path, goals, goal):
    """The image is run once for all instructions, against once for each."""
    texts = [
        entry["text"]
        for entry in yaml.safe_load(INSTRUCTIONS.read_text(encoding="utf-8"))[
            "instruction_texts"
        ].values()
    ][:10]
    with one_thread():
        model: Any = family_class("llava").load(scaled_llava(tmp_path / "llava", MEDIUM))
        object.__setattr__(model.decoding, "end_ids", {10**6})
        shown = pictures(4)
        batches = [model.prepare(shown, [text] * len(shown)) for text in texts]
        seconds: dict[str, list[float]] = {"each": [], "once": []}
        model.forward_all(
            [batch.copy() for batch in batches[:2]]
        )  # looks whether it changes nothing
        for _ in range(2):  # in turn, for others use the machine
            start = time.perf_counter()
            alone = [model.forward(batch) for batch in batches]
            seconds["each"].append(time.perf_counter() - start)
            start = time.perf_counter()
            together = model.forward_all(batches)
            seconds["once"].append(time.perf_counter() - start)
    apart = max(
        float((found.states - whole.states).norm() / whole.states.norm())
        for found, whole in zip(together, alone, strict=True)
    )
    ratio = min(seconds["each"]) / min(seconds["once"])
    print(
        f"\nllava, {BLOCKS} blocks, {len(texts)} instructions of {len(shown)} images, 32 tokens, "
        f"one thread: {seconds['each']} s each, {seconds['once']} s once; ratio {ratio:.1f}; "
        f"states {apart:.1g} apart"
    )
    goals.append(goal("embedding: ten instructions about one image, ratio", ratio, 2))
    assert apart < 1e-5


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        pytest.param(SMALL, [1, 8], id="small"),
        pytest.param(
            LARGE,
            [1, 2, 4, 8, 16, 32, 64, 128],
            id="7B",
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
        ),
    ],
)
def test_sweep_of_batch_sizes(tmp_path, sizes, batches):
    """Decoding reads all weights once per step: the share of the bandwidth says what is left."""
    model: Any = family_class("llava").load(scaled_llava(tmp_path / "llava", sizes))
    object.__setattr__(model.decoding, "end_ids", {10**6})
    weights = sum(p.numel() * p.element_size() for p in model.body.parameters())
    bandwidth = copy_bandwidth(model.device)
    print(f"\n  {model.device}, {model.dtype}, copies at {bandwidth / 1e9:.0f} GB/s")
    print("  batch  images/s  weights read at, share of copy bandwidth  GPU GiB")
    for batch_size in batches:
        batch = model.prepare(pictures(batch_size), [INSTRUCTION] * batch_size)
        model.forward(batch)
        memory = "-"
        if model.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        start = clock(model.device)
        model.forward(batch)
        seconds = clock(model.device) - start
        if model.device.type == "cuda":
            memory = f"{torch.cuda.max_memory_allocated() / 2**30:.1f}"
        share = weights * (model.options.max_new_tokens + 1) / seconds / bandwidth
        print(f"  {batch_size:5d}  {batch_size / seconds:8.2f}  {share:42.1%}  {memory:>7}")
