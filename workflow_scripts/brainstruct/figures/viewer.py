"""Interactive maps: a folder with a page that shows a subject's brain, folded or flat.

pycortex writes the page (``make_static``); here the study's maps become its
layers, in the colours of the figures. The page asks nothing of any other
machine, and must be served over http: browsers do not let a page that is opened
as a file read the files beside it.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.image import imsave
from numpy.typing import NDArray

from brainstruct.figures.cortex_store import (
    prepare_store,
    private_cache,
    pycortex,
    require_subject,
    use_store,
)
from brainstruct.figures.style import CURVATURE, SEQUENTIAL, instruction_colours, layer_colours
from brainstruct.figures.surface import Flatmap, check_volume
from brainstruct.figures.viewer_grid import cortex_grid, covers_cortex
from brainstruct.figures.voxels import placed
from brainstruct.store.publishing import publish_folder

PAGE = Path(__file__).with_name("viewer_page")
"""What is added to pycortex's page: a template, and scripts that replace its own."""

_WIDTH = 1024  # of a colour map, pixels
_COMPRESSION: dict[str, Any] = {"method": "mg2", "level": 9}  # as make_static asks for them
_FOR_PAIRS = "RdBu_covar"  # the page needs it when two maps are chosen at once


@dataclass(frozen=True)
class ViewerMap:
    """A layer of the viewer.

    Attributes
    ----------
    name : str
        What the list of layers says.
    values : xarray.DataArray
        (voxel), with the voxel coordinates i, j, k; NaN shows the folds.
    colour_map : str
        Name of its colours.
    colours : tuple of str
        Hexadecimal. Of a categorical map one per category, and the values are
        positions in them; of a continuous map they run from `low` to `high`.
    low, high : float
        Values of the first and the last colour.
    legend : tuple of str
        Name of each category; empty if the map is continuous.
    """

    name: str
    values: xr.DataArray
    colour_map: str
    colours: tuple[str, ...]
    low: float
    high: float
    legend: tuple[str, ...] = ()


def maps_of_model(
    winners: xr.Dataset,
    space: xr.Dataset,
    *,
    key: str,
    label: str,
    n_layers: int,
    instructions: Mapping[str, str],
) -> list[ViewerMap]:
    """Make the layers of one model: winning instruction, winning layer, alignment.

    Parameters
    ----------
    winners : xarray.Dataset
        ``instruction_index``, ``layer`` and ``alignment``, dim voxel.
    space : xarray.Dataset
        Says where each voxel lies: i, j, k.
    key, label : str
        Of the model, in file names and in legends.
    n_layers : int
        Its layers, token embeddings (layer 0) included.
    instructions : mapping
        Key -> text, in the order of ``instruction_index``. With one or none
        there is no map of winning instructions.
    """
    maps = []
    if len(instructions) > 1:
        index = placed(winners["instruction_index"], space)
        name = f"{label}: winning instruction"
        maps.append(_instruction_map(name, index, instructions, key))
    maps.append(_layer_map(f"{label}: winning layer", placed(winners["layer"], space), n_layers))
    alignment = placed(winners["alignment"], space)
    maps.append(_continuous_map(f"{label}: normalised alignment", alignment))
    return maps


def ceiling_map(space: xr.Dataset, ceiling: str) -> ViewerMap:
    """Make the layer of the noise ceiling that scores are divided by."""
    return _continuous_map("Noise ceiling", placed(space[f"ceiling_{ceiling}"], space))


@contextmanager
def scratch_store(store: str | os.PathLike[str], subject: str) -> Iterator[Path]:
    """Import pycortex on a temporary copy of one subject of a store.

    What pycortex writes while it packs surfaces goes there, so jobs that draw
    at the same time do not meet half a file.

    Parameters
    ----------
    store : path
        A store built by `brainstruct.figures.cortex_store.prepare_store`.
    subject : str
        Name in the store.
    """
    with tempfile.TemporaryDirectory(prefix="pycortex-store-") as folder:
        prepare_store(folder, [subject], Path(store) / "db")
        use_store(folder)
        yield Path(folder)


def pack_surface(subject: str, folder: str | os.PathLike[str]) -> None:
    """Pack a subject's surfaces for browsers, which takes half a minute.

    Parameters
    ----------
    subject : str
        Name in the store in use. pycortex adds surface measures to the store.
    folder : path
        Published with the packed surfaces, for `build_viewer`.
    """
    with publish_folder(folder) as draft, private_cache(), redirect_stdout(io.StringIO()):
        cortex = pycortex()
        packed = Path(cortex.utils.get_ctmpack(subject, _surfaces(subject), **_COMPRESSION))
        import_module("cortex.export.save_views").default_view_framing(subject)
        for file in sorted(packed.parent.iterdir()):
            if file.is_file():
                shutil.copyfile(file, draft / file.name)


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
    """Write the page of a subject.

    A pixel shows the voxel that lies in the middle of the cortex under it, or,
    without a transform whose volume covers the cortex, what the flatmap shows
    of that piece of cortex. Nothing is interpolated, so every colour of a
    categorical map is that of a category.

    Parameters
    ----------
    folder : path
        Published with ``index.html``, the surfaces and the maps.
    maps : sequence of ViewerMap
        Layers, in the order of the list; names must differ.
    surface : str
        Subject in the store in use.
    transform : str or None
        Its transform to the data; without one, one is added to the store.
    flatmap : Flatmap
        The subject's flatmap, of the data's volume.
    packed : path
        Folder from `pack_surface`.
    title : str
        Title of the page.

    Raises
    ------
    InputError
        If the store lacks the subject or transform, or the transform is for
        volumes of another shape.
    ValueError
        If two maps have one name, or one name of colours stands for two.
    """
    cortex = pycortex()
    if len({entry.name for entry in maps}) < len(maps):
        raise ValueError("two maps have the same name")
    if transform is not None:
        require_subject(surface, transform)
        shape = cortex.db.get_xfm(surface, transform).shape
        check_volume(shape[::-1], flatmap.volume_shape, transform)
    if transform is not None and covers_cortex(surface, transform):
        volumes = [_volume(entry.values, shape) for entry in maps]
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
            vmin=entry.low,
            vmax=entry.high,
            priority=number,
            legend=[list(pair) for pair in zip(entry.legend, entry.colours, strict=False)],
        )
        for number, (entry, volume) in enumerate(zip(maps, volumes, strict=True), start=1)
    }
    gyrus, sulcus = (to_rgb(grey)[0] for grey in CURVATURE)
    with (
        publish_folder(folder) as draft,
        private_cache(),
        _colour_maps(maps),
        _dark_outlines(),
        redirect_stdout(io.StringIO()),
    ):
        cache = Path(cortex.db.get_cache(surface))
        for file in Path(packed).iterdir():
            shutil.copyfile(file, cache / file.name)
        cortex.webgl.make_static(
            str(draft),
            _in_order(cortex.Dataset(**views)),
            template=str(PAGE / "viewer.html"),
            types=_surfaces(surface),
            overlays_visible=("rois",),
            labels_visible=("rois",),
            title=title,
            curvature_brightness=(gyrus + sulcus) / 2,
            curvature_contrast=gyrus - sulcus,
            surface_specularity=0,
        )


def colour_strip(colours: Sequence[str]) -> NDArray[np.uint8]:
    """Draw colours side by side, as the page looks them up.

    The page looks for a value between the first and the last colour at its
    share of the width, so the first and the last band are half as wide.

    Parameters
    ----------
    colours : sequence of str
        One or more.

    Returns
    -------
    numpy.ndarray
        [1, column, RGBA].
    """
    place = (np.arange(_WIDTH) + 0.5) / _WIDTH
    codes = np.rint(place * (len(colours) - 1)).astype(int)
    lookup = np.array([(*to_rgb(colour), 1.0) for colour in colours])
    strip: NDArray[np.uint8] = np.rint(lookup[codes] * 255).astype(np.uint8)[None]
    return strip


def folder_size(folder: str | os.PathLike[str]) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def _instruction_map(
    name: str, index: xr.DataArray, instructions: Mapping[str, str], model: str
) -> ViewerMap:
    return ViewerMap(
        name,
        _codes(index),
        f"instructions-{model}",
        tuple(instruction_colours(list(instructions)).values()),
        0,
        len(instructions) - 1,
        tuple(f"{key}: {text}" for key, text in instructions.items()),
    )


def _layer_map(name: str, layer: xr.DataArray, n_layers: int) -> ViewerMap:
    colours = layer_colours(n_layers)
    return ViewerMap(
        name,
        _codes(layer),
        f"layers-{n_layers}",
        tuple(colours),
        0,
        max(n_layers - 1, 1),
        tuple(f"layer {number}" for number in range(n_layers)),
    )


def _continuous_map(name: str, values: xr.DataArray) -> ViewerMap:
    colours = matplotlib.colormaps[SEQUENTIAL](np.linspace(0, 1, 256))
    steps = tuple(colours)
    return ViewerMap(name, values.astype(np.float32), SEQUENTIAL, steps, 0, 1)


def _codes(index: xr.DataArray) -> xr.DataArray:
    return index.where(index >= 0).astype(np.float32)  # negative: no winner


def _surfaces(subject: str) -> tuple[str, ...]:
    return ("inflated",) if "inflated" in pycortex().db.get_paths(subject)["surfs"] else ()


def _in_order(dataset: Any) -> Any:
    """List the layers of a page as they are given: pycortex's own list is a set of hashes."""
    found = [layer for _, view in dataset for layer in view.uniques(collapse=True)]
    dataset.uniques = lambda **_: found
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


@contextmanager
def _dark_outlines() -> Iterator[None]:
    """Draw regions in black: pycortex's white is lost on the figures' light folds."""
    options = pycortex().options.config
    before = options.get("rois_paths", "stroke")
    options.set("rois_paths", "stroke", "black")
    try:
        yield
    finally:
        options.set("rois_paths", "stroke", before)
