"""COCO's captions, which are no part of the NSD: two files out of one archive."""

import shutil
import zipfile
import zlib
from pathlib import Path

from brainstruct.datasets.nsd.layout import COCO_SPLITS, Layout
from brainstruct.errors import InputError
from brainstruct.store.faults import trouble_of

_LARGEST = 2**32
"""Bytes of a file of captions, at most; COCO's has 92 MB."""

_CHUNK = 2**20
"""Bytes held at a time."""


def archive_path(layout: Layout) -> Path:
    """Return where the archive is kept while it is needed."""
    return layout.captions_file(COCO_SPLITS[0]).with_name("annotations_trainval2017.zip")


def missing_captions(layout: Layout) -> list[Path]:
    """Return the files of captions that are not on disk."""
    files = [layout.captions_file(split) for split in COCO_SPLITS]
    return [path for path in files if not path.is_file() or not path.stat().st_size]


def unpack_captions(layout: Layout) -> list[Path]:
    """Take the missing captions out of the archive, and remove it; return what was unpacked.

    Every file of an archive has a checksum (CRC-32), which is compared. An `InputError` if the
    archive is damaged or lacks the captions, and is removed; or if they cannot be written, and it
    stays for the next start.
    """
    archive, wanted = archive_path(layout), missing_captions(layout)
    try:
        with zipfile.ZipFile(archive) as content:
            members = {Path(name).name: name for name in content.namelist()}
            for path in wanted:
                if content.getinfo(members[path.name]).file_size > _LARGEST:
                    raise EOFError(f"{path.name} would not end")
                _unpack(content, members[path.name], path)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else f"is damaged ({error})"
        archive.unlink(missing_ok=True)
        cure = "Start the download again, or check fetch.captions"
        raise InputError(archive, f"{reason}; it was removed", cure) from error
    except OSError as error:
        fault, cure = trouble_of(error) or (f"({error.strerror or error})", "Mend this")
        cure = f"{cure}; then start again: it is not downloaded a second time"
        raise InputError(archive, f"cannot be unpacked: {fault}", cure) from error
    archive.unlink(missing_ok=True)
    return wanted


def _unpack(content: zipfile.ZipFile, member: str, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.part")
    try:
        with content.open(member) as stored, temporary.open("wb") as file:
            shutil.copyfileobj(stored, file, _CHUNK)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
