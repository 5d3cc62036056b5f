"""A private pycortex filestore for the study.

pycortex reads its configuration from ``$XDG_CONFIG_HOME/pycortex/options.cfg`` when it is imported
(and creates that file if it is missing), and writes masks, curvature, views and caches into its
filestore. So that neither the user's home nor a shared filestore is ever written to, a study has
its own of both, and the surfaces it needs are written into its filestore.
"""

import configparser
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from brainstruct.errors import InputError
from brainstruct.figures.halves import lacks
from brainstruct.figures.store_names import SIDES, surface_file


def shipped_filestore() -> Path:
    """Return the filestore that comes with pycortex, which has the subject S1."""
    spec = find_spec("cortex")  # finds the package without importing it
    if spec is None or spec.origin is None:
        raise InputError("pycortex", "is not installed", "Use the figures environment")
    defaults = Path(spec.origin).with_name("defaults.cfg")
    options = configparser.ConfigParser()
    options.read(defaults)
    if not options.has_option("basic", "filestore"):
        raise InputError(defaults, "names no filestore", "Reinstall pycortex from a wheel")
    return Path(options.get("basic", "filestore")).resolve()


def find_subject(store: str | os.PathLike[str] | None, subject: str) -> Path:
    """Return the folder of a subject in a user's filestore, or in the one of pycortex (`None`).

    An `InputError` if there is none, or the subject has no flattened surfaces.
    """
    origin = Path(store) if store is not None else shipped_filestore()
    if not origin.is_dir():
        raise InputError(
            origin,
            "is not a folder, so there are no surfaces to draw flatmaps on",
            "Set the flatmap store to a pycortex filestore, or to null for pycortex's own",
        )
    folder = origin / subject
    if not folder.is_dir():
        cure = "Name one of these, or set the flatmap store to the filestore that has it"
        raise lacks(origin, "subject", subject, cure)
    for hemisphere in SIDES:
        if not surface_file(folder, "flat", hemisphere).is_file():
            raise InputError(
                folder / "surfaces",
                f"has no flattened surface of the {hemisphere} (flat_{hemisphere}.gii)",
                "Import the subject's flat patches into pycortex first",
            )
    return folder


def use_store(folder: str | os.PathLike[str]) -> ModuleType:
    """Import pycortex, once and for all, on a store with subjects that `import_subject` wrote.

    A `RuntimeError` if it has already been imported on another filestore: it cannot be moved
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

    A `RuntimeError` if it has not been called: importing pycortex without it would write into
    the user's home.
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
