"""Blocks of a model in one file, for others: written out of a store, and taken into one."""

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brainstruct import __version__
from brainstruct.embedding.shared import key_of, read_record
from brainstruct.errors import InputError
from brainstruct.store.faults import reading
from brainstruct.store.files import write_json
from brainstruct.store.fingerprint import sha256_of
from brainstruct.store.publishing import publish

CONTENTS = "pack.json"


def pack_blocks(blocks: Sequence[Path], pack: Path, *, about: dict[str, Any]) -> int:
    """Write blocks of a store, which results link to, into one file; return how many.

    An `InputError` if one is no link into a store, or not what its record says.
    """
    found: dict[str, dict[str, Any]] = {}
    files = {}
    for block in blocks:
        stored = block.resolve()
        if not block.is_symlink() or not stored.is_file():
            raise InputError(
                block, "is in no store of embeddings",
                "Set embeddings_store: what is made from then on lies there",
            )  # fmt: skip
        record = read_record(stored)
        if sha256_of(stored) != record["sha256"]:
            raise InputError(stored, "is damaged", f"Delete it and {block}, and embed again")
        found[stored.stem], files[stored.stem] = record, stored
    text = json.dumps({**about, "brainstruct": __version__, "blocks": found}, indent=1)
    with publish(pack) as temporary, tarfile.open(temporary, "w") as archive:
        entry = tarfile.TarInfo(CONTENTS)
        entry.size = len(text.encode())
        archive.addfile(entry, io.BytesIO(text.encode()))
        for key, file in sorted(files.items()):
            entry = tarfile.TarInfo(f"{key}.nc")
            entry.size = file.stat().st_size
            with file.open("rb") as content:
                archive.addfile(entry, content)
    return len(found)


def take_pack(pack: Path, store: Path) -> tuple[int, int]:
    """Check a pack and take its blocks into a store; return how many were new, and how many known.

    An `InputError` if it is no pack, is cut, or holds a block that is not what it says.
    """
    cure = "Get the pack again from who made it"
    new = known = 0
    with reading(pack, "pack of embeddings", cure), tarfile.open(pack, "r:") as archive:
        first = archive.next()
        content = archive.extractfile(first) if first and first.name == CONTENTS else None
        if content is None:
            raise InputError(pack, f"is no pack of embeddings: it has no {CONTENTS}", cure)
        awaited = dict(json.load(content)["blocks"])
        for entry in archive:
            key = entry.name.removesuffix(".nc")
            if entry.name == CONTENTS:
                continue
            record = awaited.pop(key, None)
            data = archive.extractfile(entry) if entry.isfile() else None
            if record is None or data is None or key_of(record["identity"]) != key:
                raise InputError(pack, f"holds {entry.name}, which it does not speak of", cure)
            if _take(data, record, store / key[:2] / f"{key}.nc", pack):
                new += 1
            else:
                known += 1
    if awaited:
        raise InputError(pack, f"lacks {len(awaited)} blocks that it speaks of", cure)
    return new, known


def _take(data: Any, record: dict[str, Any], block: Path, pack: Path) -> bool:
    """Put one block into a store; whether it was not there yet."""
    if block.is_file() and block.with_suffix(".json").is_file():
        return False
    with publish(block) as temporary:
        with temporary.open("wb") as file:
            while piece := data.read(1 << 20):
                file.write(piece)
        if sha256_of(temporary) != record["sha256"]:
            raise InputError(pack, f"holds a damaged block ({block.name})", "Get it again")
    write_json(
        {"sha256": record["sha256"], "identity": record["identity"]}, block.with_suffix(".json")
    )
    return True
