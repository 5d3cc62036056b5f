"""Finished blocks that several studies and people share: found by what they depend on.

A block is a file named after the digest of its identity; beside it, a record with
the identity, and with the checksum of the content. Nothing in it says where or by
whom it was made. Results link to it.
"""

import hashlib
import json
import logging
import os
import platform
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from brainstruct.errors import InputError
from brainstruct.store.files import write_json
from brainstruct.store.fingerprint import sha256_of
from brainstruct.store.publishing import publish

log = logging.getLogger(__name__)

SIGN = 20.0  # seconds after which whoever makes a block shows that it still does
SILENCE = 600.0  # seconds without a sign after which somebody else makes it
POLL = 5.0  # seconds between two looks for a block that somebody makes

Identity = Mapping[str, object]


class BlockStore:
    """A folder of finished blocks, or none (`None`), in which nothing is found."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is not None and not folder.is_dir():
            raise InputError(
                folder, "there is no such folder for embeddings",
                "Make it, correct embeddings_store, or set it to null",
            )  # fmt: skip

    @contextmanager
    def turn(self, identity: Identity, more: Identity | None = None) -> Iterator[Path | None]:
        """Give a block that is there, or one that holds `more`, or `None` to who is to make it.

        Others who want it wait meanwhile. Who was silent for ten minutes is taken for dead.
        """
        if self._folder is None:
            yield None
            return
        block, claim = self._path(identity), self._path(identity).with_suffix(".claim")
        claim.parent.mkdir(parents=True, exist_ok=True)
        waited = False
        while True:
            found = self._sound(block)
            if found is None and more is not None:
                found = self._sound(self._path(more))
            if found is not None:
                yield found
                return
            if _claimed(claim):
                break
            if not waited:
                log.info("another job makes %s: waiting", block.name)
                waited = True
            time.sleep(POLL)
        try:
            with _signs(claim):
                yield self._sound(block)  # it may have come between the look and the claim
        finally:
            claim.unlink(missing_ok=True)

    def take(self, block: Path, path: Path) -> None:
        """Let `path` be a block that was found: a link, or a copy where links cannot be."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        try:
            path.symlink_to(block.resolve())
        except OSError:
            with publish(path) as temporary:
                shutil.copyfile(block, temporary)

    def add(self, path: Path, identity: Identity) -> None:
        """Take a block in that was made, and leave a link in its place."""
        if self._folder is None:
            return
        block = self._path(identity)
        with publish(block) as temporary:
            shutil.copyfile(path, temporary)
        # Last: a block counts only with its record.
        write_json({"sha256": sha256_of(block), "identity": dict(identity)}, _record(block))
        self.take(block, path)

    def _path(self, identity: Identity) -> Path:
        assert self._folder is not None
        key = key_of(identity)
        return self._folder / key[:2] / f"{key}.nc"

    def _sound(self, block: Path) -> Path | None:
        """Return a block that is there and is what its record says."""
        try:
            with suppress(ValueError, KeyError, TypeError):  # of a record that is none
                if read_record(block)["sha256"] == sha256_of(block):
                    return block
        except FileNotFoundError:
            return None
        log.warning("%s is damaged; it is made anew", block)
        return None


def key_of(identity: Identity) -> str:
    """Return the digest of what a block depends on: its name."""
    text = json.dumps(dict(identity), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _record(block: Path) -> Path:
    return block.with_suffix(".json")


def _claimed(claim: Path) -> bool:
    """Make a claim, if there is none, or nobody who keeps it up."""
    with suppress(FileNotFoundError):
        if time.time() - claim.stat().st_mtime > SILENCE:
            log.warning("%s: whoever made this block has been silent for long", claim)
            # Renamed first: of several who find it, one takes it away, and none a new one.
            dead = claim.with_suffix(f".{platform.node()}.{os.getpid()}.dead")
            with suppress(FileNotFoundError):
                claim.rename(dead)
                dead.unlink()
    try:
        handle = os.open(claim, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{platform.node()} {os.getpid()}\n")
    return True


@contextmanager
def _signs(claim: Path) -> Iterator[None]:
    """Touch a claim now and then, as long as the block is made."""
    over = threading.Event()

    def sign() -> None:
        while not over.wait(SIGN):
            with suppress(OSError):
                os.utime(claim)

    thread = threading.Thread(target=sign, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def read_record(block: Path) -> dict[str, Any]:
    """Return what a store knows of a block: ``identity`` and ``sha256``."""
    record: dict[str, Any] = json.loads(_record(block).read_text(encoding="utf-8"))
    return record
