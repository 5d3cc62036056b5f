"""What an error means: the machine's trouble, or a file's fault. The one place that knows.

A refused lock, a closed door, too many open files, a network disk that went away, a full
one and a lack of memory reach Python as OSError, or in the words of whatever library met
them: so does damage. Only what is none of the former is taken for the latter, because
the cure of damage costs much (a download of 37 GB, days of computing).
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from brainstruct.errors import InputError
from brainstruct.store.resources import table_beside

Trouble: TypeAlias = tuple[str, str]
"""What is wrong, and its cure."""

_TEXTS = table_beside(__file__, "faults.toml")

_TROUBLES: dict[int, Trouble] = {
    getattr(errno, name): (entry["fault"], entry["cure"])
    for entry in _TEXTS["trouble"]
    for name in entry["errors"]
}

OF_FOLDERS = {getattr(errno, name) for name in _TEXTS["of_folders"]}
"""Errors of writing a file that are its folder's, if they name no other file."""

# HDF5 and libpng; Python; Rust's libraries; SentencePiece; PyTorch.
_NUMBER = re.compile(r"(?:errno = |\[Errno |os error |Error #|errno )(\d+)")
_SAID = sorted(
    ((os.strerror(number).lower(), number) for number in (*_TROUBLES, errno.ENOENT)),
    key=lambda said: -len(said[0]),  # some begin as others do
)

_LACK_OF_MEMORY = re.compile(
    r"(can't|cannot|can not|could not|unable to|failed to) allocate"
    r"|(memory )?allocation failed|ALLOC_FAILED"  # HDF5, CUDA's libraries
    r"|out of memory|not enough memory|bad_alloc"
    r"|failed to map segment"  # of a library that is loaded amid the work
    r"|can't start new thread"  # there is no room for its stack
    r"|Calling read\(nbytes\) on source failed",  # pandas, of an error without words
    re.IGNORECASE,
)


@contextmanager
def reading(path: str | os.PathLike[str], kind: str, cure: str) -> Iterator[None]:
    """Say in one line, an `InputError`, why a file cannot be read or unpacked in the block.

    The block is to hold the calls of libraries that read, and what their answer is taken
    apart with: whatever goes wrong in it is the file's fault, or the machine's. `path` may
    be the folder of several. `kind` is what it should be: ``HDF5 file``.
    """
    _require_content(path, cure)
    try:
        yield
    except (InputError, ImportError):  # said already; of a package, not of the file
        raise
    # Damage surfaces as whatever libraries trip over: their own errors have no common kind.
    except Exception as error:
        raise refusal(path, error, kind, cure) from error


def refusal(path: str | os.PathLike[str], error: BaseException, kind: str, cure: str) -> InputError:
    """Return what is to be said of a file that could not be read; see `reading`."""
    if refused := lack_of_memory(error):
        more = "Give the job more memory (resources: mem_mb); the file need not be damaged"
        return InputError(path, f"could not be read for lack of memory ({refused})", more)
    if found := trouble_of(error):
        return InputError(_named(error, path), *found)
    try:  # some libraries call every trouble a file that is not there
        found = None if Path(path).is_dir() else taken_for(path)
    except OSError as again:
        if known := trouble_of(again):
            return InputError(path, *known)
    if number_of(error) == errno.ENOENT:
        return InputError(_named(error, path), "does not exist", cure)
    if found:
        return InputError(path, found[0], found[1] or cure)
    said = " ".join(str(error).split())
    return InputError(path, f"is damaged or no {kind} ({type(error).__name__}: {said})", cure)


def trouble_of(error: BaseException) -> Trouble | None:
    """Return what is wrong with the machine, and the cure; `None` for any other error."""
    number = number_of(error)
    if number not in _TROUBLES:
        return None
    fault, cure = _TROUBLES[number]
    return f"{fault} ({os.strerror(number)})", cure


def number_of(error: BaseException) -> int | None:
    """Return the number of the system's error that an error is, comes from or speaks of."""
    for part in chain(error):
        number = getattr(part, "errno", None)
        if isinstance(number, int):
            return number
        text = str(part)
        if stated := _NUMBER.search(text):
            return int(stated[1])
        if not isinstance(part, InputError):
            for words, known in _SAID:
                if words in text.lower():
                    return known
    return None


def lack_of_memory(error: BaseException) -> str | None:
    """Return what was refused, or `None` if an error, and what it came from, is of another kind.

    One line; names the file that was being read, where that is known.
    """
    where = ""
    for part in chain(error):
        if isinstance(part, InputError):  # its words are of files and settings
            where = f"{part.where}: "
        elif (
            isinstance(part, MemoryError)
            or getattr(part, "errno", None) == errno.ENOMEM
            or _LACK_OF_MEMORY.search(str(part))
        ):
            said = " ".join(str(part).split()).rstrip(".")
            return f"{where}{said or 'no more could be had'}"
    return None


def taken_for(path: str | os.PathLike[str]) -> Trouble | None:
    """Say what a file is that is empty or stands in another's place; the cure may be empty."""
    with Path(path).open("rb") as file:
        start = file.read(64)
        if not start:
            return "is empty", ""
        start = start.lstrip().lower()
        for known in _TEXTS["in_its_place"]:
            if start.startswith(known["begins"].encode()):
                return known["fault"], known["cure"]
    return None


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from, as a traceback would show them, each once."""
    found: BaseException | None = error
    seen: set[int] = set()  # whoever raises an error from itself closes a circle
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _require_content(path: str | os.PathLike[str], cure: str) -> None:
    """Refuse what is neither file nor folder: a pipe would be waited for without end."""
    with suppress(OSError):  # whoever reads it is told
        mode = os.stat(path).st_mode  # noqa: PTH116 - of anything that names a file
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise InputError(path, "is no file but a pipe, a socket or a device", cure)


def _named(error: BaseException, path: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """Return the file that an error of the system names, or the one that was asked for."""
    names = (getattr(part, "filename", None) for part in chain(error))
    return next((name for name in names if isinstance(name, str)), path)
