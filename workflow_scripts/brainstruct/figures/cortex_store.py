"""A private pycortex filestore for the study.

pycortex reads its configuration from ``$XDG_CONFIG_HOME/pycortex/options.cfg`` when it is imported
(and creates that file if it is missing), and writes masks, curvature, views and caches into its
filestore. So that neither the user's home nor a shared filestore is ever written to, a study has
its own of both, filled with copies of, or links to, the surfaces it needs.
"""

from __future__ import annotations

import configparser
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from brainstruct.errors import InputError
from brainstruct.store.publishing import publish_folder

_LINKED = ("surfaces", "anatomicals", "transforms")  # only read: may be links
_COPIED = ("surface-info", "overlays.svg", "rois.svg")  # pycortex may rewrite these
_OWN = ("cache", "surface-info", "views")  # pycortex wants to find or make these
_RECORD = "source.json"


def prepare_store(
    folder: str | os.PathLike[str],
    subjects: Sequence[str],
    source: str | os.PathLike[str] | None = None,
) -> Path:
    """Build the private filestore, or complete the one that is there; return its absolute path.

    A subject whose source has not changed is left as it is, caches included. `source` is the user's
    filestore, which is only read: surfaces and transforms are linked. By default it is the one that
    ships with pycortex (subject S1), copied, because environments come and go.

    Raises
    ------
    InputError
        If the source is no folder, lacks a subject, or a subject has no flattened surfaces.
    """
    root = Path(folder).resolve()
    origin = Path(source).resolve() if source is not None else _shipped_filestore()
    if not origin.is_dir():
        raise InputError(
            origin,
            "is not a folder, so there are no surfaces to draw flatmaps on",
            "Set the flatmap store to a pycortex filestore, or to null for pycortex's own",
        )
    database = root / "db"
    database.mkdir(parents=True, exist_ok=True)
    for subject in dict.fromkeys(subjects):
        _check_subject(origin, subject)
        _place_subject(origin / subject, database / subject, linked=source is not None)
    return root


def use_store(folder: str | os.PathLike[str]) -> ModuleType:
    """Import pycortex, once and for all, on a store built by `prepare_store`.

    Raises
    ------
    InputError
        If there is no store in `folder`.
    RuntimeError
        If pycortex has already been imported on another filestore: it cannot be moved
        afterwards.
    """
    root = Path(folder).resolve()
    if not (root / "db").is_dir():
        raise InputError(root, "holds no pycortex store of this study", "Prepare it first")
    if "cortex" not in sys.modules:
        with _configuration(root / "db"), redirect_stdout(io.StringIO()):
            import_module("cortex")  # prints that Inkscape is missing; it is not needed here
    cortex = sys.modules["cortex"]
    in_use = Path(cortex.db.filestore).resolve()
    if in_use != root / "db":
        raise RuntimeError(f"pycortex was imported on {in_use}; start a new process for {root}")
    return cortex


def pycortex() -> ModuleType:
    """Return the module that `use_store` imported.

    Raises
    ------
    RuntimeError
        If `use_store` has not been called: importing pycortex without it would write into the
        user's home.
    """
    if "cortex" not in sys.modules:
        raise RuntimeError("call use_store before anything that needs pycortex")
    return sys.modules["cortex"]


@contextmanager
def option(section: str, name: str, value: str) -> Iterator[None]:
    """Set one of pycortex's options for a while."""
    options = pycortex().options.config
    before = options.get(section, name, fallback=None)
    options.set(section, name, value)
    try:
        yield
    finally:
        if before is None:
            options.remove_option(section, name)
        else:
            options.set(section, name, before)


@contextmanager
def private_cache() -> Iterator[Path]:
    """Let pycortex keep its cache in a temporary folder that goes away.

    pycortex saves cache files straight onto their final names, so jobs that
    share a cache read each other's half-written files.
    """
    with (
        tempfile.TemporaryDirectory(prefix="pycortex-") as folder,
        option("basic", "cache", folder),
    ):
        yield Path(folder)


def require_subject(subject: str, transform: str) -> Path:
    """Return the folder of a subject of the store in use.

    Raises
    ------
    InputError
        If the store lacks the subject or the transform.
    """
    folder = Path(pycortex().db.filestore)
    if not (folder / subject).is_dir():
        raise _lacks(folder, "subject", subject, "Prepare the store with this subject")
    transforms = folder / subject / "transforms"
    if not (transforms / transform / "matrices.xfm").is_file():
        cure = "Name one of these as the flatmaps' transform"
        raise _lacks(transforms, "transform", transform, cure)
    return folder / subject


def _lacks(folder: Path, kind: str, name: str, cure: str) -> InputError:
    """Say that a folder lacks another one, and which it has."""
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    there = ", ".join(one for one in names if not one.startswith(".")) or "none"
    return InputError(folder, f"has no {kind} '{name}' (it has {there})", cure)


@contextmanager
def _configuration(database: Path) -> Iterator[None]:
    """Point pycortex at a filestore while it is imported, which is when it looks.

    The path is absolute, so it is not stored: a study's folder may be moved.
    """
    before = os.environ.get("XDG_CONFIG_HOME")
    with tempfile.TemporaryDirectory(prefix="pycortex-config-") as folder:
        file = Path(folder) / "pycortex" / "options.cfg"
        file.parent.mkdir()
        escaped = str(database).replace("%", "%%")
        file.write_text(f"[basic]\nfilestore = {escaped}\n", encoding="utf-8")
        os.environ["XDG_CONFIG_HOME"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["XDG_CONFIG_HOME"]
            else:
                os.environ["XDG_CONFIG_HOME"] = before


def _shipped_filestore() -> Path:
    spec = find_spec("cortex")  # finds the package without importing it
    if spec is None or spec.origin is None:
        raise InputError("pycortex", "is not installed", "Use the figures environment")
    defaults = Path(spec.origin).with_name("defaults.cfg")
    options = configparser.ConfigParser()
    options.read(defaults)
    if not options.has_option("basic", "filestore"):
        raise InputError(defaults, "names no filestore", "Reinstall pycortex from a wheel")
    return Path(options.get("basic", "filestore")).resolve()


def _check_subject(origin: Path, subject: str) -> None:
    if not (origin / subject).is_dir():
        cure = "Name one of these, or set the flatmap store to the filestore that has it"
        raise _lacks(origin, "subject", subject, cure)
    surfaces = origin / subject / "surfaces"
    for hemisphere in ("lh", "rh"):
        if not list(surfaces.glob(f"flat_{hemisphere}.*")):
            raise InputError(
                surfaces,
                f"has no flattened surface of the {hemisphere} (flat_{hemisphere}.gii)",
                "Import the subject's flat patches into pycortex first",
            )


def _place_subject(source: Path, target: Path, *, linked: bool) -> None:
    """Publish a subject, unless it was made from the same files."""
    entries = [source / name for name in (*_LINKED, *_COPIED) if (source / name).exists()]
    files = {
        str(path): [path.stat().st_size, path.stat().st_mtime_ns]
        for entry in entries
        for path in (entry, *entry.rglob("*"))
        if path.is_file()
    }
    record = json.dumps({"linked": linked, "files": files}, indent=1, sort_keys=True)
    if (target / _RECORD).is_file() and (target / _RECORD).read_text("utf-8") == record:
        return
    with publish_folder(target) as draft:
        for entry in entries:
            copy = _link if linked and entry.name in _LINKED else shutil.copyfile
            if entry.is_dir():
                shutil.copytree(entry, draft / entry.name, copy_function=copy)
            else:
                copy(entry, draft / entry.name)
        for name in _OWN:
            (draft / name).mkdir(exist_ok=True)
        (draft / _RECORD).write_text(record, "utf-8")


def _link(source: str | Path, target: str | Path) -> None:
    Path(target).symlink_to(source)
