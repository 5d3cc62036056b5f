from __future__ import annotations

import json
import logging
from typing import ClassVar

import numpy as np
import pytest
import torch
import xarray as xr
from PIL import Image

from brainstruct.embedding.block import block_identity, discard_shards, embed_block, write_block
from brainstruct.embedding.shards import ShardFolder
from brainstruct.embedding.stimuli import Stimuli, average_rows, prepare
from brainstruct.errors import InputError
from brainstruct.models import tiny
from brainstruct.models.interface import FeatureModel, Features, ModelOptions, Sampling
from brainstruct.models.opening import family_class
from brainstruct.store import arrays

IDS = [70, 3, 12, 9, 44, 5, 8, 21, 30, 31, 32]
IDENTITY = {"revision": "abc", "code": "123"}


class Brightness(FeatureModel):
    """State = (layer, brightness, brightness squared): what a test can foresee."""

    modality: ClassVar[str] = "image"
    n_layers = 3
    feature_dim = 3

    def __init__(self, tmp_path, **options):
        self.options = ModelOptions(tmp_path, 3, **options)
        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.calls: list[int] = []
        self.scale = 1.0
        self.fail_at = None

    @classmethod
    def load(cls, options):
        raise NotImplementedError

    def prepare(self, images, texts):
        values = [float(image.getpixel((0, 0))[0]) for image in images]
        return {"values": torch.tensor(values)}

    def forward(self, batch):
        values = batch["values"]
        if self.fail_at is not None and self.fail_at in values.tolist():
            raise KeyboardInterrupt
        self.calls.append(len(values))
        one = torch.ones_like(values)
        layers = [torch.stack([layer * one, values, values**2], 1) for layer in range(3)]
        return Features(
            states=torch.stack(layers, 1) * self.scale,
            responses=[f"saw {value:.0f}" for value in values],
            n_tokens=values.long(),
            truncated=values > 30,
        )


class Words(Brightness):
    modality: ClassVar[str] = "text"

    def prepare(self, images, texts):
        return {"values": torch.tensor([float(len(text.split())) for text in texts])}


def show(ids):
    return [Image.new("RGB", (4, 4), (int(stimulus), 0, 0)) for stimulus in ids]


def embed_one(model, stimuli, ids, *, instruction, **arguments):
    """Embed a block with one instruction."""
    (block,) = embed_block(model, stimuli, ids, instructions={"one": instruction}, **arguments)
    return block


@pytest.fixture
def model(tmp_path):
    return Brightness(tmp_path)


@pytest.fixture
def embed(model, tmp_path):
    def run(ids=IDS, **changes):
        arguments = {
            "instruction": None,
            "work_folder": tmp_path / "work",
            "identity": IDENTITY,
            "batch_size": 2,
            "images_per_shard": 4,
        }
        return embed_one(model, Stimuli(images=show), ids, **{**arguments, **changes})

    return run


def test_labels_and_values(embed):
    block = embed()
    assert block["embedding"].dims == ("layer", "stimulus", "feature")
    assert block["embedding"].dtype == np.float16
    assert block["stimulus"].values.tolist() == IDS
    assert block["layer"].values.tolist() == [0, 1, 2]
    for stimulus in IDS:
        row = block.sel(stimulus=stimulus)
        assert row["embedding"].values[2].tolist() == [2, stimulus, stimulus**2]
        assert row["response"].item() == f"saw {stimulus}"
        assert row["n_tokens"].item() == stimulus
        assert row["truncated"].item() == (stimulus > 30)


def test_layers_that_are_kept_are_those_of_all(embed, tmp_path, model):
    some = embed(layers=[0, 2], work_folder=tmp_path / "some")
    xr.testing.assert_identical(some, embed().sel(layer=[0, 2]))
    assert block_identity(model, IDS, None, [0, 2], "float16", {})["layers"] == [0, 2]
    assert "layers" not in block_identity(model, IDS, None, [0, 1, 2], "float16", {})


@pytest.mark.parametrize(("batch_size", "images_per_shard"), [(1, 1), (3, 5), (64, 4), (4, 512)])
def test_neither_batches_nor_shards_change_the_result(
    embed, tmp_path, batch_size, images_per_shard
):
    sizes = {"batch_size": batch_size, "images_per_shard": images_per_shard}
    other = embed(work_folder=tmp_path / "other", **sizes)
    xr.testing.assert_identical(other, embed())


def test_written_by_layer_and_read_back(embed, tmp_path, model):
    block = embed()
    path = tmp_path / "results" / "block.nc"
    identity = block_identity(model, IDS, None, range(3), "float16", IDENTITY)
    write_block(block, path, provenance=identity)
    with arrays.open_dataset(path, ["embedding"]) as stored:
        assert stored["embedding"].encoding["chunksizes"] == (1, len(IDS), 3)
        assert arrays.provenance(stored) == identity
        assert identity["revision"] == "abc"
        xr.testing.assert_equal(stored.load(), block)
    discard_shards(tmp_path / "work/one")
    assert not (tmp_path / "work/one").exists()


class OneSize(Brightness):
    """A model that batches no images of several sizes."""

    def prepare(self, images, texts):
        assert len({image.size for image in images}) == 1
        return super().prepare(images, texts)


def size_of(stimulus):
    """Rows and columns: three sizes, in turns along `IDS`."""
    return [(4, 6), (6, 4), (4, 4)][IDS.index(stimulus) % 3]


SIZED = Stimuli(
    images=lambda ids: [
        Image.new("RGB", size_of(stimulus)[::-1], (stimulus, 0, 0)) for stimulus in ids
    ],
    sizes=lambda ids: [size_of(stimulus) for stimulus in ids],
)


def embed_sized(model, folder, batch_size=2, images_per_shard=8, stimuli=SIZED):
    return embed_one(
        model,
        stimuli,
        IDS,
        instruction=None,
        work_folder=folder,
        identity=IDENTITY,
        batch_size=batch_size,
        images_per_shard=images_per_shard,
    )


@pytest.mark.parametrize(("batch_size", "images_per_shard"), [(1, 3), (2, 8), (3, 11), (64, 512)])
def test_a_batch_holds_images_of_one_size(embed, tmp_path, batch_size, images_per_shard):
    sized = embed_sized(OneSize(tmp_path), tmp_path / "sized", batch_size, images_per_shard)
    xr.testing.assert_identical(sized, embed())


def test_batches_of_one_size_are_as_full_as_they_can_be(tmp_path):
    model = OneSize(tmp_path)
    embed_sized(model, tmp_path / "work")
    # Of eight, three each of two sizes and two of the third; then one of each.
    assert model.calls == [2, 2, 1, 2, 1, 1, 1, 1]


def test_a_restart_finds_shards_of_several_sizes_in_order(embed, tmp_path):
    model = OneSize(tmp_path)
    model.fail_at = float(IDS[9])
    with pytest.raises(KeyboardInterrupt):
        embed_sized(model, tmp_path / "sized")
    model.fail_at = None
    model.calls.clear()
    resumed = embed_sized(model, tmp_path / "sized")
    assert sum(model.calls) == 3
    xr.testing.assert_identical(resumed, embed())


def test_nothing_changes_where_all_sizes_are_one(tmp_path):
    files, calls = [], []
    for name, sizes in (("none", None), ("one", lambda ids: [(4, 4)] * len(ids))):
        model = Brightness(tmp_path)
        block = embed_sized(model, tmp_path / name, stimuli=Stimuli(images=show, sizes=sizes))
        write_block(block, tmp_path / f"{name}.nc", provenance={})
        folder = tmp_path / name / "one"
        files.append([(tmp_path / f"{name}.nc").read_bytes()])
        files[-1] += [path.read_bytes() for path in sorted(folder.iterdir())]
        calls.append(model.calls)
    assert files[0] == files[1]
    assert calls[0] == calls[1] == [2, 2, 2, 2, 2, 1]


def interrupt(embed, model):
    """Die in the third of three shards."""
    model.fail_at = float(IDS[9])
    with pytest.raises(KeyboardInterrupt):
        embed()
    model.fail_at = None
    model.calls.clear()


def test_a_restart_goes_on_from_finished_shards(embed, model, tmp_path, caplog):
    interrupt(embed, model)
    with caplog.at_level(logging.INFO, logger="brainstruct"):
        resumed = embed()
    assert sum(model.calls) == 3
    assert "an earlier run has left 8 of 11 stimuli" in caplog.text
    xr.testing.assert_identical(resumed, embed(work_folder=tmp_path / "fresh"))


@pytest.mark.parametrize("how", ["flip", "cut", "record", "no record"])
def test_a_damaged_shard_is_computed_again(embed, model, tmp_path, caplog, how):
    whole = embed()
    model.calls.clear()
    data, record = (tmp_path / "work/one" / f"shard-00001.{suffix}" for suffix in ("nc", "json"))
    content = bytearray(data.read_bytes())
    if how == "flip":
        content[len(content) // 2] ^= 1
        data.write_bytes(content)
    elif how == "cut":
        data.write_bytes(content[:-10])
    elif how == "record":
        record.write_text('{"identity": ')
    else:
        record.unlink()
    again = embed()
    assert sum(model.calls) == 4
    assert ("damaged" in caplog.text) == (how != "no record")
    xr.testing.assert_identical(again, whole)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"identity": {**IDENTITY, "revision": "xyz"}}, "revision: 'abc', not 'xyz'"),
        ({"ids": IDS[::-1]}, "stimuli_sha256"),
        ({"layers": [2]}, "layers: None, not [2]"),
        ({"storage": "float32"}, "storage: 'float16', not 'float32'"),
    ],
)
def test_shards_of_another_run_are_passed_over(embed, model, tmp_path, caplog, changes, named):
    embed()
    model.calls.clear()
    found = embed(**changes)
    assert sum(model.calls) == len(IDS)
    assert "is of another run" in caplog.text
    assert named in caplog.text
    xr.testing.assert_identical(found, embed(**changes, work_folder=tmp_path / "fresh"))


def test_how_a_model_runs_is_part_of_the_identity(tmp_path):
    plain = block_identity(Brightness(tmp_path), IDS, None, range(3), "float16", IDENTITY)
    json.dumps(plain)
    options = (
        {"random_seed": 1},
        {"pooling": "prompt_mean"},
        {"max_new_tokens": 3},
        {"sampling": Sampling(seed=1)},
    )
    for option in options:
        model = Brightness(tmp_path, **option)
        assert block_identity(model, IDS, None, range(3), "float16", IDENTITY) != plain
    told = block_identity(Brightness(tmp_path), IDS, "Look!", range(3), "float16", IDENTITY)
    assert told["instruction_sha256"] != plain["instruction_sha256"]
    assert (plain["prompt"], told["prompt"]) == (None, "Look!")


def test_the_prompt_as_it_was_written_is_stored_and_part_of_the_identity(tmp_path):
    class Polite(Brightness):
        def prompt(self, instruction):
            return f"USER: <image> {instruction} Please."

    given = ("Look!", range(3), "float16", IDENTITY)
    told = block_identity(Polite(tmp_path), IDS, *given)
    assert told["prompt"] == "USER: <image> Look! Please."
    other = block_identity(Brightness(tmp_path), IDS, *given)
    assert {**told, "family": "", "prompt": ""} == {**other, "family": "", "prompt": ""}


class Asked(Brightness):
    """A model whose answer depends on what it is asked."""

    modality: ClassVar[str] = "image+instruction"

    def prepare(self, images, texts):
        return {"values": super().prepare(images, texts)["values"] + len(texts[0])}


def test_several_instructions_are_those_alone_and_go_on_where_each_is(tmp_path):
    asked = {"a": "What?", "b": "Is it a cat?", "c": "Name it."}
    settings = {"identity": IDENTITY, "batch_size": 2, "images_per_shard": 4}

    read: list[int] = []

    def counted(ids):
        read.extend(ids)
        return show(ids)

    def run(model, keys, folder):
        told = {key: asked[key] for key in keys}
        blocks = embed_block(
            model,
            Stimuli(images=counted),
            IDS,
            instructions=told,
            work_folder=tmp_path / folder,
            **settings,
        )
        return dict(zip(keys, blocks, strict=True))

    alone = {key: run(Asked(tmp_path), [key], key)[key] for key in asked}
    assert not alone["a"].equals(alone["b"])
    model = Asked(tmp_path)
    run(model, ["b"], "together")
    model.fail_at = float(IDS[9] + len(asked["c"]))
    with pytest.raises(KeyboardInterrupt):
        run(model, list(asked), "together")
    model.fail_at = None
    model.calls.clear()
    read.clear()
    together = run(model, list(asked), "together")
    assert read == IDS[8:]  # once for all that are asked
    assert sum(model.calls) == 2 * len(IDS[8:])
    for key, block in alone.items():
        xr.testing.assert_identical(together[key], block)


def test_shards_that_go_before_they_are_put_together_are_made_again(embed, tmp_path, monkeypatch):
    expected = embed(work_folder=tmp_path / "undisturbed")
    write, taken = ShardFolder.write, []

    def disturbed(self, number, *rest):
        write(self, number, *rest)
        if number == 2 and not taken:
            taken.append(number)
            discard_shards(tmp_path / "work/one")

    monkeypatch.setattr(ShardFolder, "write", disturbed)
    xr.testing.assert_identical(embed(), expected)
    assert taken


def test_captions_are_averaged_with_equal_weight(tmp_path):
    captions = {5: ["a cat"], 6: ["a", "a b c d e"], 7: ["one two three"]}
    block = embed_one(
        Words(tmp_path),
        Stimuli(captions=lambda ids: [captions[stimulus] for stimulus in ids]),
        list(captions),
        instruction=None,
        work_folder=tmp_path / "work",
        identity=IDENTITY,
        batch_size=2,
    )
    values = block["embedding"].sel(layer=0, feature=[1, 2]).values
    assert values.tolist() == [[2, 4], [3, 13], [3, 9]]
    assert block["n_tokens"].values.tolist() == [2, 6, 3]
    assert block["response"].values.tolist() == ["saw 2", "saw 1\nsaw 5", "saw 3"]


def test_a_stimulus_without_caption_is_named(tmp_path):
    with pytest.raises(InputError, match="captions of stimulus 6"):
        embed_one(
            Words(tmp_path),
            Stimuli(captions=lambda ids: [[] if stimulus == 6 else ["a"] for stimulus in ids]),
            [5, 6],
            instruction=None,
            work_folder=tmp_path / "work",
            identity=IDENTITY,
        )


def test_overflow_is_an_error_and_float32_its_cure(embed, model):
    model.scale = 1e3
    with pytest.raises(InputError, match=r"too large for float16 \(up to 4\.9e\+06, limit 65504"):
        embed()
    assert np.isfinite(embed(storage="float32")["embedding"]).all()


@pytest.mark.parametrize("scale", [float("nan"), float("inf")])
def test_states_that_are_not_finite_are_an_error(embed, model, scale):
    model.scale = scale
    with pytest.raises(InputError, match=r"not finite, from layer 0 on, in 4 stimuli .*first: 70"):
        embed(storage="float32")


@pytest.mark.parametrize("ids", [[], [1, 1], [[1, 2]]])
def test_a_block_has_each_stimulus_once(embed, ids):
    with pytest.raises(ValueError, match="each once"):
        embed(ids)


def test_an_instruction_must_suit_the_model(embed):
    with pytest.raises(ValueError, match="does not suit"):
        embed(instruction="What is this?")


def test_what_a_model_reads_must_be_there(model, tmp_path):
    for one, stimuli, lack in (
        (model, Stimuli(captions=lambda ids: [["a"] for _ in ids]), "sees images, but there are"),
        (Words(tmp_path), Stimuli(images=show), "reads text, but there are no captions"),
        (model, Stimuli(images=lambda ids: show(ids)[1:]), "asked for 2 images, got 1"),
    ):
        with pytest.raises(ValueError, match=lack):
            prepare(one, stimuli, [5, 6], None)


def test_features_of_one_row_each_are_not_copied(model):
    features = model.forward({"values": torch.tensor([2.0, 3.0])})
    assert average_rows(features, [1, 1]) is features


def test_progress_is_logged(embed, caplog):
    with caplog.at_level(logging.INFO, logger="brainstruct"):
        embed(batch_size=1)
    lines = [record.message for record in caplog.records if "per second" in record.message]
    assert [line.split()[0] for line in lines] == ["10", "11"]


@pytest.mark.parametrize("family", ["instructblip", "idefics"])
def test_a_real_model_from_pictures_to_file(tmp_path, family):
    tiny.build(family, tmp_path / "checkpoint", seed=1, n_blocks=2)
    options = ModelOptions(tmp_path / "checkpoint", 3, max_new_tokens=3)
    model = family_class(family).load(options)
    instruction = "What is in this image?"
    block = embed_one(
        model,
        Stimuli(images=show),
        IDS,
        instruction=instruction,
        work_folder=tmp_path / "work",
        identity=IDENTITY,
        batch_size=4,
        images_per_shard=5,
        storage="float32",
    )
    alone = model.embed(show([12]), [instruction])
    found = block.sel(stimulus=12)
    np.testing.assert_allclose(found["embedding"], alone.states[0], rtol=1e-5, atol=1e-5)
    assert found["response"].item() == alone.responses[0].replace("\0", "\N{REPLACEMENT CHARACTER}")
    write_block(block, tmp_path / "block.nc", provenance={})
    xr.testing.assert_equal(arrays.read_dataset(tmp_path / "block.nc"), block)


def test_sampled_responses_do_not_depend_on_batches_or_shards(tmp_path):
    tiny.build("llava", tmp_path / "checkpoint", seed=1, n_blocks=2)
    options = ModelOptions(
        tmp_path / "checkpoint", 3, max_new_tokens=4, sampling=Sampling(seed=2, temperature=0.7)
    )
    model = family_class("llava").load(options)

    def run(ids, **sizes):
        name = "-".join(str(size) for size in sizes.values())
        return embed_one(
            model,
            Stimuli(images=show),
            ids,
            instruction="What is in this image?",
            work_folder=tmp_path / name,
            identity=IDENTITY,
            storage="float32",
            **sizes,
        )

    one = run(IDS, batch_size=11, images_per_shard=64)
    other = run(IDS[::-1], batch_size=3, images_per_shard=5).sel(stimulus=IDS)
    assert one["response"].values.tolist() == other["response"].values.tolist()
    np.testing.assert_allclose(one["embedding"], other["embedding"], rtol=1e-5, atol=1e-5)
