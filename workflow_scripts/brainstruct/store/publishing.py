"""Files and folders on disk: published whole or not at all.

Every file is written beside its final name, synced, and renamed into place, so
a reader never meets half a file.
"""

import errno
import glob
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from brainstruct.errors import InputError
from brainstruct.store.faults import OF_FOLDERS, number_of, trouble_of


@contextmanager
def publish(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path whose file becomes `path` if the block succeeds.

    It lies in the same folder, which is created if needed (so that the rename is atomic), and has
    the same suffix (so that writers that look at the suffix behave). An `InputError` if the folder
    cannot be written to, or has no room left.
    """
    final = Path(path)
    temporary = _draft(final, final.suffix)
    with _naming(final.parent):
        final.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(final)
        try:
            yield temporary
            _sync(temporary)
            temporary.replace(final)
            _sync(final.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def publish_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty folder beside `path` that becomes it, or replaces it; see `publish`."""
    final = Path(path)
    temporary = _draft(final, "")
    with _naming(final.parent):
        final.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(final)
        temporary.mkdir()
        try:
            yield temporary
            for entry in [*temporary.rglob("*"), temporary]:
                _sync(entry)
            _put_in_place(temporary, final)
            _sync(final.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _draft(final: Path, suffix: str) -> Path:
    return final.with_name(f".{final.name}.{socket.gethostname()}.{os.getpid()}.part{suffix}")


@contextmanager
def _naming(folder: Path) -> Iterator[None]:
    """Say in one line why a folder takes no file; any other error is raised as it is."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        about = getattr(error, "filename", None)
        if isinstance(about, str) and not _concerns(Path(about), folder):
            raise
        found = trouble_of(error) if number_of(error) in OF_FOLDERS else None
        if found is None:
            raise
        fault, cure = found
        raise InputError(folder, fault, f"{cure}; or set another results folder") from error


def _concerns(path: Path, folder: Path) -> bool:
    """Whether a path lies in a folder, or (while folders are made) the folder in it."""
    path, folder = path.absolute(), folder.absolute()
    return path.is_relative_to(folder) or folder.is_relative_to(path)


def _put_in_place(temporary: Path, final: Path) -> None:
    """Rename a folder over another, though a second writer may do the same at this moment.

    The one that was there goes when the new one stands, or comes back.
    """
    for attempt in range(10):
        old = temporary.with_name(f"{temporary.name}.{attempt}{_OLD}")
        moved = False
        try:
            with suppress(FileNotFoundError):
                final.rename(old)
                moved = True
            temporary.replace(final)
        except BaseException as error:
            taken = isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST)
            if attempt < 9 and taken:
                continue
            if moved:
                with suppress(OSError):  # another writer's is there
                    old.rename(final)
            raise
        _remove_leftovers(final)
        return


_OLD = ".old"
"""Ends the names of folders that were there before, until their successors stand."""


def _remove_leftovers(final: Path) -> None:
    """Delete what killed processes of this machine, and this one, left half written.

    A folder that was whole, and whose writer was killed before its successor
    stood, stays as long as there is none.
    """
    prefix = f".{final.name}.{socket.gethostname()}."
    for path in final.parent.glob(f".{glob.escape(final.name)}.*.part*"):
        writer = path.name.removeprefix(prefix).partition(".")[0]
        if not (path.name.startswith(prefix) and writer.isdecimal() and _is_over(int(writer))):
            continue
        if not path.is_dir():
            path.unlink(missing_ok=True)
        elif final.exists() or not path.name.endswith(_OLD):
            # Files that another machine holds open cannot go; that is no fault of the new folder.
            shutil.rmtree(path, ignore_errors=True)


def _is_over(process: int) -> bool:
    if process == os.getpid():  # an earlier one with this number, or we are done ourselves
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's
        return False
    return False


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
