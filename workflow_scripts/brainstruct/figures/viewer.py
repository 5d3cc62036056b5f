"""Interactive maps: a folder with a page that shows a subject's brain, folded or flat.

pycortex writes the page (``make_static``). The page asks nothing of any other machine, and must be
served over http: browsers do not let a page that is opened as a file read the files beside it.
"""

import base64
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.image import imsave
from numpy.typing import NDArray

from brainstruct.errors import InputError
from brainstruct.figures.cortex_store import (
    option,
    private_cache,
    pycortex,
    use_store,
)
from brainstruct.figures.halves import read_alignment, read_stored
from brainstruct.figures.style import CURVATURE
from brainstruct.figures.surface import Flatmap, check_volume
from brainstruct.figures.viewer_grid import cortex_grid, covers_cortex
from brainstruct.figures.viewer_maps import ViewerMap, colour_strip
from brainstruct.figures.voxels import anew
from brainstruct.store.files import read_json, rebuild, write_json
from brainstruct.store.fingerprint import sha256_of
from brainstruct.store.publishing import publish_folder
from brainstruct.store.texts import json_for_scripts

PAGE = Path(__file__).with_name("viewer_page")
"""What is added to pycortex's page: a template, and scripts that replace its own."""

_COMPRESSION: dict[str, Any] = {"method": "mg2", "level": 9}  # as make_static asks for them
_CHECKSUMS = "checksums.json"  # of packed surfaces
_FOR_PAIRS = "RdBu_covar"  # the page needs it when two maps are chosen at once


@contextmanager
def scratch_store(store: Path, subject: str) -> Iterator[Path]:
    """Import pycortex on a temporary copy of one subject of a study's store.

    `store` is the file that says the store is ready. What pycortex writes while it packs
    surfaces goes into the copy, so jobs that draw at the same time do not meet half a file.
    """
    folder = store.parent / "db" / subject
    try:
        read_stored(folder)
    except InputError as error:
        raise InputError(error.where, error.fault, anew(store)) from error
    with tempfile.TemporaryDirectory(prefix="pycortex-store-") as scratch:
        shutil.copytree(folder, Path(scratch) / "db" / subject)
        use_store(scratch)
        yield Path(scratch)


def pack_surface(subject: str, folder: str | os.PathLike[str]) -> None:
    """Pack the surfaces of a subject of the store in use for browsers: half a minute.

    `folder` is published with them and their checksums, for `build_viewer`.
    pycortex adds surface measures to the store.
    """
    with publish_folder(folder) as draft, private_cache(), redirect_stdout(io.StringIO()):
        cortex = pycortex()
        packed = Path(cortex.utils.get_ctmpack(subject, _surfaces(subject), **_COMPRESSION))
        import_module("cortex.export.save_views").default_view_framing(subject)
        for file in sorted(packed.parent.iterdir()):
            if file.is_file():
                shutil.copyfile(file, draft / file.name)
        write_json({file.name: sha256_of(file) for file in draft.iterdir()}, draft / _CHECKSUMS)


def unpack(packed: Path, cache: Path) -> None:
    """Copy packed surfaces to where pycortex looks for them, if they are as they were packed."""
    record = packed / _CHECKSUMS
    for name, checksum in read_json(record, rebuild(packed)).items():
        if not (packed / name).is_file() or sha256_of(packed / name) != checksum:
            raise InputError(packed / name, "is not as it was packed", rebuild(packed))
        shutil.copyfile(packed / name, cache / name)


def build_viewer(
    folder: str | os.PathLike[str],
    maps: Sequence[ViewerMap],
    *,
    surface: str,
    transform: str | None,
    flatmap: Flatmap,
    packed: str | os.PathLike[str],
    title: str,
) -> None:
    """Write the page of a subject: ``index.html``, the surfaces and the maps.

    A pixel shows the voxel that lies in the middle of the cortex under it, or, without a transform
    whose volume covers the cortex, what the flatmap shows of that piece of cortex. Nothing is
    interpolated, so every colour of a categorical map is that of a category.

    Layers are listed in their order. `surface` is a subject in the store in use, and `transform`
    its own to the data; without one, one is added to the store. An `InputError` if it is for
    volumes of another shape, or packed surfaces are not as they were packed; a `ValueError` if two
    maps have one name, or one name of colours stands for two.
    """
    dataset = _dataset(maps, surface, transform, flatmap)
    gyrus, sulcus = (to_rgb(grey)[0] for grey in CURVATURE)
    with (
        publish_folder(folder) as draft,
        private_cache(),
        _colour_maps(maps),
        # pycortex's white outlines are lost on the figures' light folds.
        option("rois_paths", "stroke", "black"),
        json_for_scripts(),
        redirect_stdout(io.StringIO()),
    ):
        unpack(Path(packed), Path(pycortex().db.get_cache(surface)))
        pycortex().webgl.make_static(
            str(draft),
            dataset,
            template=str(PAGE / "viewer.html"),
            types=_surfaces(surface),
            overlays_visible=("rois",),
            labels_visible=("rois",),
            title=escape(title),
            curvature_brightness=(gyrus + sulcus) / 2,
            curvature_contrast=gyrus - sulcus,
            surface_specularity=0,
        )
        write_json(file_sizes(draft), draft / "files.json")


def file_sizes(folder: str | os.PathLike[str]) -> dict[str, int]:
    """Return the bytes of all files in a folder, by their names in it."""
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


def _surfaces(subject: str) -> tuple[str, ...]:
    return ("inflated",) if "inflated" in pycortex().db.get_paths(subject)["surfs"] else ()


def _dataset(
    maps: Sequence[ViewerMap], surface: str, transform: str | None, flatmap: Flatmap
) -> Any:
    """Make pycortex's form of the maps, listed as they are given."""
    cortex = pycortex()
    if len({entry.name for entry in maps}) < len(maps):
        raise ValueError("two maps have the same name")
    if transform is not None:
        alignment = read_alignment(Path(cortex.db.filestore) / surface, transform)
        check_volume(alignment.shape, flatmap.volume_shape, transform)
    if transform is not None and covers_cortex(surface, transform):
        volumes = [_volume(entry.values, flatmap.volume_shape[::-1]) for entry in maps]
    else:
        grid = cortex_grid(surface, flatmap)
        transform = grid.save(surface)
        volumes = [grid.volume(_image(flatmap, entry)) for entry in maps]
    views = {
        entry.name: cortex.Volume(
            volume,
            surface,
            transform,
            cmap=entry.colour_map,
            vmin=0,
            vmax=entry.high,
            priority=number,
            legend=[list(pair) for pair in zip(entry.legend, entry.colours, strict=False)],
        )
        for number, (entry, volume) in enumerate(zip(maps, volumes, strict=True), start=1)
    }
    dataset = cortex.Dataset(**views)
    # pycortex's own list is a set of hashes.
    listed = [layer for _, view in dataset for layer in view.uniques(collapse=True)]
    dataset.uniques = lambda **_: listed
    return dataset


def _image(flatmap: Flatmap, entry: ViewerMap) -> NDArray[np.floating]:
    """Return a map as the figures draw it, [row, column], NaN where it shows nothing."""
    if not entry.legend:
        return flatmap.average(entry.values)
    codes = entry.values.fillna(-1).astype(np.int64)
    image = flatmap.vote(codes, len(entry.legend))
    return np.where(image >= 0, image, np.nan)


def _volume(values: xr.DataArray, shape: Sequence[int]) -> NDArray[np.float32]:
    volume = np.full(tuple(shape), np.nan, np.float32)
    volume[tuple(np.asarray(values[axis], np.int64) for axis in "kji")] = np.asarray(values)
    return volume


@contextmanager
def _colour_maps(maps: Sequence[ViewerMap]) -> Iterator[None]:
    """Let pages carry the study's colour maps instead of pycortex's two hundred."""
    found: dict[str, str] = {}
    for entry in maps:
        file = io.BytesIO()
        imsave(file, colour_strip(entry.colours), format="png")
        address = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
        if found.setdefault(entry.colour_map, address) != address:
            raise ValueError(f"two maps have different colours named {entry.colour_map}")
    view: Any = import_module("cortex.webgl.view")
    before = view.colormaps
    view.colormaps = [*found.items(), *(pair for pair in before if pair[0] == _FOR_PAIRS)]
    try:
        yield
    finally:
        view.colormaps = before
