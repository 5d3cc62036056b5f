"""Blocks are found by what they depend on, made once, checked, and packed for others."""

from __future__ import annotations

import io
import json
import os
import tarfile
import threading
import time

import pytest

from brainstruct.embedding import shared
from brainstruct.embedding.packs import pack_blocks, take_pack
from brainstruct.embedding.shared import BlockStore, key_of
from brainstruct.errors import InputError

IDENTITY = {"code": "embed 1", "instruction": "Say", "settings": {"n_layers": 5}}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


def fill(folder, path, content="states", identity=IDENTITY):
    """Make a block of some results, as a job does; whether it was made."""
    store = BlockStore(folder)
    with store.turn(identity) as found:
        if found is not None:
            store.take(found, path)
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        store.add(path, identity)
    return True


def test_a_block_is_made_once_and_linked(folder, tmp_path):
    first, second = tmp_path / "a/block.nc", tmp_path / "b/block.nc"
    assert fill(folder, first)
    assert not fill(folder, second, "other")
    assert first.read_text() == second.read_text() == "states"
    assert first.is_symlink()
    assert (
        first.resolve()
        == second.resolve()
        == folder / key_of(IDENTITY)[:2] / f"{key_of(IDENTITY)}.nc"
    )
    assert not list(folder.rglob("*.claim"))


def test_a_block_of_some_layers_is_found_in_one_of_all(folder, tmp_path):
    some = IDENTITY | {"layers": [1, 2]}
    with BlockStore(folder).turn(some, IDENTITY) as found:
        assert found is None
    fill(folder, tmp_path / "a.nc")
    with BlockStore(folder).turn(some, IDENTITY) as found:
        assert found == (tmp_path / "a.nc").resolve()
    fill(folder, tmp_path / "b.nc", "two layers", some)
    with BlockStore(folder).turn(some, IDENTITY) as found:
        assert found == (tmp_path / "b.nc").resolve()
    with BlockStore(folder).turn(IDENTITY) as found:
        assert found == (tmp_path / "a.nc").resolve()


@pytest.mark.parametrize(
    "change",
    [{"code": "embed 2"}, {"instruction": None}, {"settings": {"n_layers": 6}}, {"more": 1}],
)
def test_another_identity_is_another_block(folder, tmp_path, change):
    fill(folder, tmp_path / "a.nc")
    assert fill(folder, tmp_path / "b.nc", "other", IDENTITY | change)


def test_a_damaged_block_is_made_anew(folder, tmp_path):
    fill(folder, tmp_path / "a.nc")
    stored = (tmp_path / "a.nc").resolve()
    stored.write_text("stateS")
    assert fill(folder, tmp_path / "b.nc", "states")
    assert stored.read_text() == "states"
    stored.with_suffix(".json").write_text("{")
    assert fill(folder, tmp_path / "c.nc")


def test_two_who_want_a_block_at_once_make_it_once(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(shared, "POLL", 0.05)
    made = []

    def work(number):
        store = BlockStore(folder)
        with store.turn(IDENTITY) as found:
            if found is None:
                time.sleep(0.3)
                path = tmp_path / f"{number}.nc"
                path.write_text("states")
                store.add(path, IDENTITY)
                made.append(number)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert len(made) == 1


def test_who_fails_leaves_the_block_to_others(folder, tmp_path):
    store = BlockStore(folder)
    with pytest.raises(RuntimeError), store.turn(IDENTITY):
        raise RuntimeError("no memory")
    assert fill(folder, tmp_path / "a.nc")


def test_who_was_killed_is_waited_for_no_longer_than_its_signs(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(shared, "POLL", 0.05)
    claim = folder / key_of(IDENTITY)[:2] / f"{key_of(IDENTITY)}.claim"
    claim.parent.mkdir()
    claim.write_text("elsewhere 1\n")
    long_ago = time.time() - shared.SILENCE - 1
    os.utime(claim, (long_ago, long_ago))
    assert fill(folder, tmp_path / "a.nc")


def test_who_waits_says_so_once(folder, tmp_path, monkeypatch, caplog):
    claim = folder / key_of(IDENTITY)[:2] / f"{key_of(IDENTITY)}.claim"
    claim.parent.mkdir()
    claim.write_text("elsewhere 1\n")
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 3:
            claim.unlink()

    monkeypatch.setattr(shared.time, "sleep", sleep)
    with caplog.at_level("INFO", logger="brainstruct"):
        assert fill(folder, tmp_path / "a.nc")
    assert looks == [5, 5, 5]
    assert caplog.text.count("another job makes") == 1


def test_who_works_long_shows_signs(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(shared, "SIGN", 0.02)
    with BlockStore(folder).turn(IDENTITY):
        (claim,) = folder.rglob("*.claim")
        os.utime(claim, (1, 1))
        time.sleep(0.3)
        assert claim.stat().st_mtime > 1


def test_without_a_store_everything_is_made(tmp_path):
    assert fill(None, tmp_path / "a.nc")
    assert not (tmp_path / "a.nc").is_symlink()


def test_a_store_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        BlockStore(tmp_path / "absent")


def test_where_links_cannot_be_blocks_are_copied(folder, tmp_path, monkeypatch):
    fill(folder, tmp_path / "a.nc")

    def refuse(self, target):
        raise OSError(1, "not permitted")

    monkeypatch.setattr("pathlib.Path.symlink_to", refuse)
    assert not fill(folder, tmp_path / "b.nc")
    assert not (tmp_path / "b.nc").is_symlink()
    assert (tmp_path / "b.nc").read_text() == "states"


@pytest.fixture
def pack(folder, tmp_path):
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"results/{number}.nc")
        fill(folder, paths[-1], f"states {number}", IDENTITY | {"stimuli": number})
    assert pack_blocks(paths, tmp_path / "pack.tar", about={"model": "InstructBLIP"}) == 3
    return tmp_path / "pack.tar"


def test_a_pack_is_taken_into_another_store(pack, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    assert take_pack(pack, other) == (3, 0)
    assert take_pack(pack, other) == (0, 3)
    assert not fill(other, tmp_path / "theirs.nc", "", IDENTITY | {"stimuli": 2})
    assert (tmp_path / "theirs.nc").read_text() == "states 2"


def test_what_is_in_no_store_cannot_be_packed(tmp_path):
    (tmp_path / "a.nc").write_text("states")
    with pytest.raises(InputError, match="in no store"):
        pack_blocks([tmp_path / "a.nc"], tmp_path / "pack.tar", about={})


def rewritten(pack, change):
    """A pack with other members: name -> content."""
    with tarfile.open(pack) as archive:
        members = {m.name: archive.extractfile(m).read() for m in archive.getmembers()}
    path = pack.with_name("changed.tar")
    with tarfile.open(path, "w") as archive:
        for name, content in change(members).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def outside(members):
    name = next(name for name in members if name.endswith(".nc"))
    content = json.loads(members["pack.json"])
    content["blocks"]["../../outside"] = content["blocks"][name.removesuffix(".nc")]
    return {
        "pack.json": json.dumps(content).encode(),
        "../../outside.nc": members[name],
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: {k: v.replace(b"states 1", b"states 9") for k, v in m.items()}, "damaged block"),
        (lambda m: {k: v for k, v in m.items() if b"states 1" not in v}, "lacks 1 blocks"),
        (lambda m: m | {"more.nc": b"x"}, "does not speak of"),
        (outside, "does not speak of"),
        (lambda m: {k: v for k, v in m.items() if k != "pack.json"}, "no pack"),
        (lambda m: m | {"pack.json": b"[]"}, "pack of embeddings"),
    ],
    ids=["flipped", "lost", "more", "outside", "headless", "nonsense"],
)
def test_a_pack_that_is_not_what_it_says_is_refused(pack, tmp_path, change, said):
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(InputError, match=said):
        take_pack(rewritten(pack, change), other)
    assert not (tmp_path.parent / "outside.nc").exists()


def test_a_cut_pack_is_refused(pack, tmp_path):
    pack.write_bytes(pack.read_bytes()[:2000])
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(InputError):
        take_pack(pack, other)
