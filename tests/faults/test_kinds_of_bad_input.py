"""Kinds of bad input: each is one message (what, where, cure) and nothing else.

Every kind spoils one thing in a copy of a small data set or checkpoint, or in
the configuration, and runs the job that meets it.
"""

from __future__ import annotations

import gzip
import inspect
import json
import os
import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import scipy.io
from safetensors.numpy import load_file, save_file

sys.path.insert(0, str(Path(__file__).parents[1] / "datasets/nsd"))

import test_kinds_of_locks_and_signals as machine
import test_kinds_of_surfaces as surfaces
from ending import check_message, results_in
from small_study import IMAGE_SIZE, PLAN, SEED, SESSIONS, make_anatomy, make_features, subject_plan

from brainstruct.config.loading import load_study
from brainstruct.datasets.nsd.layout import COCO_SPLITS, Layout
from brainstruct.datasets.nsd.synthetic.stimuli import write_stimuli
from brainstruct.datasets.nsd.synthetic.subjects import write_subject
from brainstruct.errors import InputError
from brainstruct.jobs.run import log, run_job
from brainstruct.models import tiny
from brainstruct.models.manifest import files_in
from brainstruct.store import arrays, tables
from brainstruct.store.files import write_json
from brainstruct.store.fingerprint import sha256_of
from damage import change_text
from fake_job import fake_job
from nsd_study import index_of, prepare

SUBJECT = "subj01"
BETAS, MASK, FAMILY = "betas_session01.hdf5", "nsdgeneral", "floc-bodies"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A data set of one subject, a checkpoint, and what the first jobs make of them."""
    root = tmp_path_factory.mktemp("whole")
    layout = Layout(root / "nsd")
    write_stimuli(layout, PLAN, IMAGE_SIZE)
    index = index_of(layout, SUBJECT, sessions=SESSIONS[SUBJECT])
    plan = subject_plan()
    features = make_features(index["nsd_id"].to_numpy())
    write_subject(layout, SUBJECT, make_anatomy(), features, plan, SESSIONS[SUBJECT], SEED)
    tables.write_table(index, root / "index.tsv")
    arrays.write_dataset(prepare(layout, SUBJECT), root / "responses.nc")
    block = index.head(3)[["nsd_id", "coco_id", "coco_split"]]
    tables.write_table(block, root / "block.tsv")
    tiny.build("clip", root / "clip", seed=1, n_blocks=2, n_text_blocks=2)
    tiny.build("instructblip", root / "instructblip", seed=1, n_blocks=2)
    return root


class Spoilt:
    """A copy of `whole` in which links stand for everything that is not spoilt."""

    def __init__(self, whole: Path, root: Path) -> None:
        self.root = root
        self.layout = Layout(root / "nsd")
        root.mkdir()
        for path in sorted(whole.rglob("*")):
            copy = root / path.relative_to(whole)
            if path.is_dir():
                copy.mkdir(parents=True, exist_ok=True)
            else:
                copy.symlink_to(path)

    def own(self, path: Path) -> Path:
        """Make a file the test's own, so that it can be changed."""
        original = path.resolve()
        path.unlink()
        shutil.copy(original, path)
        return path

    def cut(self, path: Path, share: float) -> None:
        content = self.own(path).read_bytes()
        path.write_bytes(content[: int(len(content) * share)])

    def hdf5(self, path: Path) -> h5py.File:
        return h5py.File(self.own(path), "r+")

    def volume(self, path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
        image = nib.load(self.own(path))
        changed = change(np.asarray(image.dataobj))
        nib.save(nib.Nifti1Image(changed, image.affine), path)

    def text(self, path: Path, change: Callable[[str], str]) -> None:
        self.own(path).write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    def matlab(self, **changes: object) -> None:
        path = self.own(self.layout.expdesign_file)
        content = {
            name: value
            for name, value in scipy.io.loadmat(path).items()
            if not name.startswith("__")
        }
        content.update({name: change(content[name]) for name, change in changes.items()})
        scipy.io.savemat(path, {name: v for name, v in content.items() if v is not None})

    def table(self, text: str) -> None:
        path = self.layout.label_tables(SUBJECT, FAMILY)[0]
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def images(self, shape: tuple[int, ...] | None, dtype: str = "u1") -> None:
        """Announce images of another shape, none of which is there, or link to them."""
        path = self.layout.stimuli_file
        path.unlink()
        with h5py.File(path, "w") as file:
            if shape is None:
                file["imgBrick"] = h5py.ExternalLink("other.hdf5", "imgBrick")
            else:
                file.create_dataset("imgBrick", shape, dtype, chunks=(1, 64, 64, 3))

    def nifti(self) -> Path:
        return self.layout.betas_file(SUBJECT, 1, "nifti")

    def betas(self) -> Path:
        return self.layout.betas_file(SUBJECT, 1, "hdf5")

    def roi(self, name: str) -> Path:
        return self.layout.roi_file(SUBJECT, name)


READ = {"image_list", "manifest", "responses", "cross_subject", "stimuli"}
WRITTEN = {
    "index_stimuli": "image_list",
    "list_block": "block",
    "prepare_responses": "responses",
    "estimate_ceiling": "ceiling",
    "embed": "embeddings",
}
"""What the rules write, by argument."""


def run(spoilt: Spoilt, rule: str, tmp_path: Path, **params: object) -> tuple[str, list[Path]]:
    """Run a rule's script as Snakemake does; return its log and what it left."""
    layout = spoilt.layout
    stimuli = [layout.stimuli_file, *(layout.captions_file(split) for split in COCO_SPLITS)]
    output = tmp_path / "out" / ("x.tsv" if rule in ("index_stimuli", "list_block") else "x.nc")
    family = str(params.get("family", "clip-text"))
    folder = spoilt.root / ("clip" if family.startswith("clip") else family)
    # Taken of the spoilt files: what loading says of them is tested here.
    files = {name: sha256_of(folder / name) for name in files_in(folder)}
    write_json(
        {"folder": str(folder), "source": "s", "revision": "r", "digest": "d", "files": files},
        tmp_path / "manifest.json",
    )
    names = {
        "image_list": str(spoilt.root / "index.tsv"),
        "block": str(spoilt.root / "block.tsv"),
        "manifest": str(tmp_path / "manifest.json"),
        "responses": str(spoilt.root / "responses.nc"),
        "cross_subject": [],
        "stimuli": [str(path) for path in stimuli if path.exists()],
        "subject": params.get("subject", SUBJECT),
        "image_set": SUBJECT,
        "index": "000",
        "model": "m",
        "dataset": {
            "dataset": "nsd",
            "nsd_root": str(layout.nsd_root),
            "sessions": SESSIONS[SUBJECT],
            "format": params.get("format", "hdf5"),
        },
        "mask": params.get("mask", MASK),
        "rois": params.get("rois", [FAMILY]),
        "preferred": "ncsnr",
        "images": params.get("images", 100),
        "stamps": str(tmp_path / "manifest.stamps.json"),
        "folder": str(folder),
        "code": "c",
        "model_settings": {
            "family": family,
            "checkpoint": family,
            "n_layers": params.get("n_layers", 3),
            "random_seed": None,
            "pooling": "response_mean",
            "max_new_tokens": 2,
            "sampling": None,
            "dtype": "auto",
            "storage": "float16",
        },
        "layers": list(range(params.get("n_layers", 3))),
        "texts": {"none": None} if family.startswith("clip") else {"IC": "What?"},
        "work": str(tmp_path / "work"),
        WRITTEN[rule]: [str(output)],
    }
    work = getattr(import_module(rule), rule)
    asked = inspect.signature(work).parameters.keys()
    given = {name: value for name, value in names.items() if name in asked}
    written = {WRITTEN[rule]: given.pop(WRITTEN[rule])}
    job = fake_job(
        rule,
        tmp_path / "job.log",
        input={name: value for name, value in given.items() if name in READ},
        output=written,
        params={name: value for name, value in given.items() if name not in READ},
        config={
            "embeddings_store": None,
            "embedding": {"device": "cpu", "batch_size": 2, "images_per_shard": 2},
        },
    )
    try:
        with pytest.raises(SystemExit) as stop:
            run_job(work, job)
    finally:
        log.handlers.clear()
    assert stop.value.code == 1
    return (tmp_path / "job.log").read_text(encoding="utf-8"), results_in(tmp_path / "out")


def replace_betas(spoilt: Spoilt, change: Callable[[np.ndarray], np.ndarray]) -> None:
    with spoilt.hdf5(spoilt.betas()) as stored:
        betas = change(stored["betas"][:])
        del stored["betas"]
        stored.create_dataset("betas", data=betas)


def put_betas(spoilt: Spoilt, content: object) -> None:
    with spoilt.hdf5(spoilt.betas()) as stored:
        del stored["betas"]
        stored["betas"] = content


def stitched(spoilt: Spoilt, name: str) -> None:
    """A virtual data set: its numbers are those of another file."""
    path = spoilt.betas()
    other = path.with_name("other.hdf5")
    path.rename(other)
    with h5py.File(other) as whole, h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout(whole[name].shape, whole[name].dtype)
        layout[...] = h5py.VirtualSource(other, name, whole[name].shape)
        file.create_virtual_dataset(name, layout)


def scale(path: Path) -> None:
    """Let a volume's header say that its numbers are to be multiplied."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[112:120] = np.array([1 / 300, 0], "<f4").tobytes()
    path.write_bytes(gzip.compress(content))


def flip(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 1
    path.write_bytes(content)


def announce(path: Path, length: int) -> None:
    """Let a volume's header speak of another length of each axis."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[42:48] = np.full(3, length, "<i2").tobytes()
    path.write_bytes(gzip.compress(content))


def no_heads(path: Path) -> None:
    content = json.loads(path.read_text())
    for part in ("text_config", "text_config_dict"):  # the library believes the second
        content[part]["num_attention_heads"] = 0
    path.write_text(json.dumps(content))


def spoil_captions(spoilt: Spoilt, change: Callable[[dict], object]) -> None:
    for split in ("train2017", "val2017"):
        path = spoilt.own(spoilt.layout.captions_file(split))
        content = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(change(content) or content), encoding="utf-8")


def nan_somewhere(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float32)
    values[5] = np.where(values[5] != 0, np.nan, 0)
    return values


def infinite_somewhere(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float32)
    values[5] = np.where(values[5] != 0, np.inf, 0)
    return values


def info_csv(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Spoilt], None]:
    def spoil(spoilt: Spoilt) -> None:
        path = spoilt.own(spoilt.layout.stim_info_file)
        change(pd.read_csv(path, index_col=0)).to_csv(path)

    return spoil


def edit_json(path: Path, **changes: object) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))


def put_index(folder: Path, shard: str) -> None:
    """Let the weights of a checkpoint be in a shard."""
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"logit_scale": shard}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def edit_weights(path: Path, value: float | None) -> None:
    """Fill a tensor of the text tower, or leave it out."""
    tensors = load_file(path)
    name = "text_model.encoder.layers.0.layer_norm1.weight"
    if value is None:
        del tensors[name]
    else:
        tensors[name] = np.full_like(tensors[name], value)
    save_file(tensors, path, metadata={"format": "pt"})


def shift_tokens(path: Path) -> None:
    """Give words of a tokenizer ids that a small model does not have."""
    content = json.loads(path.read_text())
    vocabulary = content["model"]["vocab"]
    content["model"]["vocab"] = {
        token: number + 10**6 * token.isalpha() for token, number in vocabulary.items()
    }
    content["model"]["merges"] = []
    path.write_text(json.dumps(content))


RESPONSES, INDEX, BLOCK, EMBED = "prepare_responses", "index_stimuli", "list_block", "embed"
CEILING = "estimate_ceiling"
POINTER = "version https://git-lfs.github.com/spec/v1\n"
BLIP = {"family": "instructblip", "n_layers": 3}

# name: (rule that meets it, what is done, parameters of the job, words of the message)
KINDS: dict[str, tuple[str, Callable[[Spoilt], object], dict[str, object], list[str]]] = {
    "betas missing": (RESPONSES, lambda s: s.betas().unlink(), {}, [BETAS]),
    "betas empty": (RESPONSES, lambda s: s.cut(s.betas(), 0), {}, [BETAS]),
    "betas cut in the header": (RESPONSES, lambda s: s.cut(s.betas(), 0.01), {}, [BETAS]),
    "betas cut in the middle": (RESPONSES, lambda s: s.cut(s.betas(), 0.5), {}, [BETAS]),
    "betas cut near the end": (RESPONSES, lambda s: s.cut(s.betas(), 0.97), {}, [BETAS]),
    "betas of another kind of file": (
        RESPONSES, lambda s: s.own(s.betas()).write_text("<html>404</html>"), {}, [BETAS]),
    "betas under another name": (
        RESPONSES, lambda s: s.hdf5(s.betas()).move("betas", "beta"), {}, [BETAS, "betas"]),
    "betas of another number of trials": (
        RESPONSES, lambda s: replace_betas(s, lambda b: b[:-1]), {}, [BETAS, "749", "750"]),
    "betas of another grid": (
        RESPONSES, lambda s: replace_betas(s, lambda b: b[:, 1:]), {}, [BETAS, "shape"]),
    "betas with axes in another order": (
        RESPONSES, lambda s: replace_betas(s, lambda b: b.transpose()), {}, [BETAS]),
    "betas as text": (
        RESPONSES, lambda s: replace_betas(s, lambda b: b[:, 0, 0].astype("S")), {}, [BETAS]),
    "betas of another type": (
        RESPONSES, lambda s: replace_betas(s, lambda b: b.astype(np.int32)), {}, [BETAS, "int32"]),
    "betas that are NaN": (
        RESPONSES, lambda s: replace_betas(s, nan_somewhere), {}, [BETAS, "finite"]),
    "betas that are infinite": (
        RESPONSES, lambda s: replace_betas(s, infinite_somewhere), {}, [BETAS, "finite"]),
    "a session of zeros": (
        RESPONSES, lambda s: replace_betas(s, np.zeros_like), {}, ["constant"]),
    "all betas saturated": (
        RESPONSES, lambda s: replace_betas(s, lambda b: np.full_like(b, 32767)), {}, ["constant"]),
    "betas without a shape": (
        RESPONSES, lambda s: put_betas(s, h5py.Empty("i2")), {}, [BETAS, "no shape"]),
    "betas that are one number": (
        RESPONSES, lambda s: put_betas(s, np.int16(1)), {}, [BETAS, "dimensions"]),
    "betas in another file": (
        RESPONSES, lambda s: put_betas(s, h5py.ExternalLink("other.hdf5", "betas")), {},
        [BETAS, "a link"]),
    "betas stitched from another file": (
        RESPONSES, lambda s: stitched(s, "betas"), {}, [BETAS, "in other files"]),
    "betas that are a folder": (
        RESPONSES, lambda s: [s.betas().unlink(), s.betas().mkdir()], {}, [BETAS, "folder"]),
    "betas that are a pipe": (
        RESPONSES, lambda s: [s.betas().unlink(), os.mkfifo(s.betas())], {}, [BETAS, "pipe"]),
    "betas that are a circle of links": (
        RESPONSES, lambda s: [s.betas().unlink(), s.betas().symlink_to(BETAS)], {},
        [BETAS, "leads to itself"]),
    "betas that are a Git LFS pointer": (
        RESPONSES, lambda s: s.own(s.betas()).write_text(POINTER), {}, [BETAS, "git lfs pull"]),
    "a voxel that is NaN in some trials": (
        RESPONSES, lambda s: replace_betas(s, nan_somewhere), {}, [BETAS, "out of the mask"]),
    "NIfTI betas cut": (
        RESPONSES, lambda s: s.cut(s.nifti(), 0.6), {"format": "nifti"}, ["session01.nii.gz"]),
    "NIfTI betas that are no gzip": (
        RESPONSES, lambda s: s.own(s.nifti()).write_bytes(b"nii"), {"format": "nifti"},
        ["session01.nii.gz"]),
    "NIfTI betas that announce too much": (
        RESPONSES, lambda s: announce(s.own(s.nifti()), 30_000), {"format": "nifti"},
        ["session01.nii.gz", "announces"]),
    "NIfTI betas of one trial": (
        RESPONSES, lambda s: s.volume(s.nifti(), lambda v: v[..., 0]), {"format": "nifti"},
        ["session01.nii.gz", "holds no trials"]),
    "NIfTI betas of fewer trials": (
        RESPONSES, lambda s: s.volume(s.nifti(), lambda v: v[..., 1:]), {"format": "nifti"},
        ["session01.nii.gz", "749"]),
    "NIfTI betas that are scaled": (
        RESPONSES, lambda s: scale(s.own(s.nifti())), {"format": "nifti"},
        ["session01.nii.gz", "scales"]),
    "mask missing": (RESPONSES, lambda s: s.roi(MASK).unlink(), {}, [f"{MASK}.nii.gz"]),
    "mask cut": (RESPONSES, lambda s: s.cut(s.roi(MASK), 0.5), {}, [f"{MASK}.nii.gz"]),
    "mask that is empty": (
        RESPONSES, lambda s: s.volume(s.roi(MASK), np.zeros_like), {}, ["marks no voxel"]),
    "mask of an impossible size": (
        RESPONSES, lambda s: announce(s.own(s.roi(MASK)), 30_000), {},
        [f"{MASK}.nii.gz", "announces"]),
    "mask with halves": (
        RESPONSES, lambda s: s.volume(s.roi(MASK), lambda v: (v / 2).astype("f4")), {},
        [f"{MASK}.nii.gz", "no label"]),
    "mask that is NaN": (
        RESPONSES, lambda s: s.volume(s.roi(MASK), lambda v: np.full(v.shape, np.nan)), {},
        [f"{MASK}.nii.gz", "no label"]),
    "mask of zeros without a header": (
        RESPONSES, lambda s: s.own(s.roi(MASK)).write_bytes(gzip.compress(bytes(10**6))), {},
        [f"{MASK}.nii.gz", "is damaged"]),
    "mask of another grid": (
        RESPONSES, lambda s: s.volume(s.roi(MASK), lambda v: v[1:]), {}, [".nii.gz", "shape"]),
    "regions of another grid": (
        CEILING, lambda s: s.volume(s.roi(FAMILY), lambda v: v[:, 1:]), {}, [FAMILY, "shape"]),
    "regions with a label that has no name": (
        CEILING, lambda s: s.volume(s.roi(FAMILY), lambda v: np.where(v > 0, 99, v)), {},
        [FAMILY, "99"]),
    "regions with halves": (
        CEILING,
        lambda s: s.volume(s.roi(FAMILY), lambda v: np.where(v > 0, 0.5, v).astype("f4")), {},
        [FAMILY]),
    "regions that are a movie": (
        CEILING, lambda s: s.volume(s.roi(FAMILY), lambda v: np.stack([v, v], -1)), {},
        [FAMILY, "volume"]),
    "regions whose table is no table": (
        CEILING, lambda s: s.table("1\n"), {}, [f"{FAMILY}.mgz.ctab", "line"]),
    "regions whose table has other numbers": (
        CEILING, lambda s: s.table("1 FBA-1\n2 EBA\n"), {}, [FAMILY, "instead of"]),
    "regions whose table names nothing": (
        CEILING, lambda s: s.table("0 Unknown\n"), {}, [FAMILY, "no name"]),
    "regions of a misspelt family": (
        CEILING, lambda s: None, {"rois": ["floc-bodyes"]}, ["floc-bodyes"]),
    "ncsnr missing": (
        RESPONSES, lambda s: s.layout.ncsnr_file(SUBJECT).unlink(), {}, ["ncsnr.nii.gz"]),
    "ncsnr of another grid": (
        RESPONSES, lambda s: s.volume(s.layout.ncsnr_file(SUBJECT), lambda v: v[:, :, 1:]), {},
        ["ncsnr.nii.gz", "shape"]),
    "ncsnr that is negative": (
        RESPONSES, lambda s: s.volume(s.layout.ncsnr_file(SUBJECT), lambda v: -1 - v), {},
        ["ncsnr.nii.gz", "negative"]),
    "responses cut": (
        CEILING, lambda s: s.cut(s.root / "responses.nc", 0.7), {}, ["responses.nc", "snakemake"]),
    "responses with a flipped bit in their seal": (
        CEILING, lambda s: flip(s.own(s.root / "responses.nc"), 0.99999), {},
        ["responses.nc", "snakemake"]),
    "responses with another word": (
        CEILING, lambda s: change_text(s.own(s.root / "responses.nc"), "ncsnr", "ncsmr"), {},
        ["responses.nc", "snakemake"]),
    "responses of another rule": (
        CEILING, lambda s: s.own(s.root / "responses.nc").write_bytes(s.betas().read_bytes()), {},
        ["responses.nc"]),
    "own table of images cut": (
        RESPONSES, lambda s: s.cut(s.root / "index.tsv", 0.05), {}, ["index.tsv"]),
    "own table of images without its columns": (
        RESPONSES, lambda s: s.text(s.root / "index.tsv", lambda t: t.replace("split", "x")), {},
        ["index.tsv", "split", "snakemake"]),
    "design missing": (
        INDEX, lambda s: s.layout.expdesign_file.unlink(), {}, ["nsd_expdesign.mat"]),
    "design cut": (
        INDEX, lambda s: s.cut(s.layout.expdesign_file, 0.3), {}, ["nsd_expdesign.mat"]),
    "design of another kind of file": (
        INDEX, lambda s: s.own(s.layout.expdesign_file).write_text("x"), {}, ["nsd_expdesign.mat"]),
    "design of another shape": (
        INDEX, lambda s: s.matlab(masterordering=lambda v: v[:, :-1]), {}, ["masterordering"]),
    "design with halves": (
        INDEX, lambda s: s.matlab(sharedix=lambda v: v + 0.5), {}, ["sharedix"]),
    "design without a field": (
        INDEX, lambda s: s.matlab(subjectim=lambda v: None), {}, ["subjectim"]),
    "design with an image too often": (
        INDEX, lambda s: s.matlab(masterordering=lambda v: np.where(v == 2, 1, v)), {},
        ["masterordering"]),
    "design with images beyond the last": (
        INDEX, lambda s: s.matlab(subjectim=lambda v: v + 73_000), {},
        ["nsd_expdesign.mat", "73000"]),
    "table of images cut": (
        BLOCK, lambda s: s.cut(s.layout.stim_info_file, 0.5), {}, ["nsd_stim_info_merged.csv"]),
    "table of images out of order": (
        BLOCK, info_csv(lambda t: t.iloc[::-1]), {}, ["nsd_stim_info_merged.csv", "row"]),
    "table of images with one twice": (
        BLOCK, info_csv(lambda t: pd.concat([t.iloc[:-1], t.iloc[:1]])), {},
        ["nsd_stim_info_merged.csv"]),
    "table of images without a column": (
        BLOCK, info_csv(lambda t: t.drop(columns="cocoId")), {}, ["cocoId"]),
    "table of images with an unknown split": (
        BLOCK, info_csv(lambda t: t.assign(cocoSplit="test2017")), {}, ["test2017"]),
    "table of images in another encoding": (
        BLOCK,
        lambda s: s.own(s.layout.stim_info_file).write_bytes("é;ü".encode("utf-16")), {},
        ["nsd_stim_info_merged.csv"]),
    "captions missing": (
        EMBED, lambda s: s.layout.captions_file("train2017").unlink(), {}, ["captions_"]),
    "captions cut": (
        EMBED, lambda s: [s.cut(s.layout.captions_file(f"{x}2017"), 0.9) for x in ("train", "val")],
        {}, ["captions_"]),
    "captions in another encoding": (
        EMBED,
        lambda s: [
            s.own(s.layout.captions_file(f"{x}2017")).write_bytes(b'{"annotations": "\xff"}')
            for x in ("train", "val")
        ], {}, ["captions_"]),
    "captions of other images": (
        EMBED, lambda s: spoil_captions(s, lambda c: c | {"annotations": []}), {}, ["captions_"]),
    "captions that are blank": (
        EMBED,
        lambda s: spoil_captions(
            s, lambda c: [a.update(caption=" ") for a in c["annotations"]] and None
        ), {}, ["caption"]),
    "captions that are a list": (
        EMBED, lambda s: spoil_captions(s, lambda c: [c]), {}, ["captions_"]),
    "captions nested without end": (
        EMBED,
        lambda s: [
            s.own(s.layout.captions_file(f"{x}2017")).write_text("[" * 10**5)
            for x in ("train", "val")
        ], {}, ["captions_"]),
    "checkpoint missing": (
        EMBED, lambda s: shutil.rmtree(s.root / "clip"), {}, ["clip", "fetch_checkpoint"]),
    "checkpoint of another family": (
        EMBED,
        lambda s: edit_json(s.own(s.root / "clip/config.json"), model_type="bert"), {},
        ["config.json", "bert"]),
    "checkpoint cut": (
        EMBED, lambda s: s.cut(s.root / "clip/model.safetensors", 0.5), {}, ["clip", "weights"]),
    "checkpoint config cut": (
        EMBED, lambda s: s.cut(s.root / "clip/config.json", 0.5), {}, ["config.json", "JSON"]),
    "checkpoint config that is a list": (
        EMBED, lambda s: s.own(s.root / "clip/config.json").write_text("[1]"), {},
        ["config.json", "list"]),
    "checkpoint without heads": (
        EMBED, lambda s: no_heads(s.own(s.root / "clip/config.json")), {}, ["config.json"]),
    "tokenizer that is a Git LFS pointer": (
        EMBED,
        lambda s: s.own(s.root / "clip/tokenizer.json").write_text(POINTER), {},
        ["tokenizer.json", "git lfs pull"]),
    "tokenizer missing": (
        EMBED, lambda s: (s.root / "clip/tokenizer.json").unlink(), {}, ["tokenizer.json"]),
    "tokenizer cut": (
        EMBED, lambda s: s.cut(s.root / "clip/tokenizer.json", 0.5), {}, ["tokenizer.json"]),
    "weights that announce too much": (
        EMBED, lambda s: (s.own(s.root / "clip/model.safetensors")).write_bytes(b"\xff" * 64), {},
        ["clip", "weights"]),
    "weights that lie elsewhere": (
        EMBED, lambda s: put_index(s.root / "clip", "../model.safetensors"), {},
        ["index.json", "outside"]),
    "weights that are NaN": (
        EMBED, lambda s: edit_weights(s.own(s.root / "clip/model.safetensors"), np.nan), {},
        ["not finite"]),
    "weights that lack a tensor": (
        EMBED, lambda s: edit_weights(s.own(s.root / "clip/model.safetensors"), None), {},
        ["clip", "lack 1 of"]),
    "weights that are an adapter": (
        EMBED, lambda s: (s.root / "clip/adapter_config.json").write_text('{"peft_type": "X"}'),
        {}, ["adapter"]),
    "weights that are quantised": (
        EMBED,
        lambda s: edit_json(s.own(s.root / "clip/config.json"), quantization_config="x"),
        {}, ["config.json", "quantised"]),
    "tokenizer of another model": (
        EMBED, lambda s: shift_tokens(s.own(s.root / "clip/tokenizer.json")), {},
        ["clip", "embeds"]),
    "questions' tokenizer of another model": (
        EMBED,
        lambda s: shift_tokens(s.own(s.root / "instructblip/qformer_tokenizer/tokenizer.json")),
        BLIP, ["instructblip", "embeds"]),
    "tokenizer's settings that are a list": (
        EMBED, lambda s: s.own(s.root / "clip/tokenizer_config.json").write_text("[]"), {},
        ["tokenizer_config.json"]),
    "end of a response that is a word": (
        EMBED,
        lambda s: edit_json(s.own(s.root / "instructblip/generation_config.json"),
                            eos_token_id="</s>"),
        BLIP, ["generation_config.json", "eos_token_id"]),
    "image token of another model": (
        EMBED, lambda s: edit_json(s.own(s.root / "instructblip/config.json"), image_token_id=5,
                                   image_token_index=5),
        BLIP, ["config.json", "is 5"]),
    "another number of layers": (EMBED, lambda s: None, {"n_layers": 13}, ["n_layers: 3"]),
    "images missing": (
        EMBED, lambda s: s.layout.stimuli_file.unlink(), BLIP, ["nsd_stimuli.hdf5"]),
    "images cut": (
        EMBED, lambda s: s.cut(s.layout.stimuli_file, 0.4), BLIP, ["nsd_stimuli.hdf5"]),
    "images of another number": (
        EMBED, lambda s: s.images((72_999, 425, 425, 3)), BLIP, ["nsd_stimuli.hdf5", "72999"]),
    "images of another size": (
        EMBED, lambda s: s.images((73_000, 2**20, 2**20, 3)), BLIP,
        ["nsd_stimuli.hdf5", "1048576"]),
    "images of another type": (
        EMBED, lambda s: s.images((73_000, 425, 425, 3), "f4"), BLIP,
        ["nsd_stimuli.hdf5", "float32"]),
    "images in another file": (
        EMBED, lambda s: s.images(None), BLIP, ["nsd_stimuli.hdf5", "a link"]),
    "own list of images with one twice": (
        EMBED, lambda s: s.own(s.root / "block.tsv").write_text(
            "nsd_id\tcoco_id\tcoco_split\n" + 2 * "9\t1\ttrain2017\n"
        ), {}, ["block.tsv", "snakemake"]),
    "own list of images with words for numbers": (
        EMBED, lambda s: s.own(s.root / "block.tsv").write_text(
            "nsd_id\tcoco_id\tcoco_split\nx\ty\ttrain2017\n"
        ), {}, ["block.tsv"]),
    "own list of images damaged": (
        EMBED, lambda s: s.own(s.root / "block.tsv").write_bytes(b"nsd_id\tcoco_id\n1\t2\n"), {},
        ["block.tsv", "coco_split"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_one_message(whole, tmp_path, kind):
    rule, spoil, params, words = KINDS[kind]
    spoilt = Spoilt(whole, tmp_path / "study")
    spoil(spoilt)
    text, written = run(spoilt, rule, tmp_path, **params)
    check_message(text, words)
    assert written == []


CONFIGURATIONS: dict[str, tuple[dict[str, object], str]] = {
    "a misspelt key": ({"encodng": {}}, "encoding"),
    "a misspelt key inside": ({"encoding": {"fold": 5}}, "folds"),
    "a word for a number": ({"encoding": {"folds": "five"}}, "encoding.folds"),
    "a negative number": ({"embedding": {"batch_size": -1}}, "embedding.batch_size"),
    "a list for a mapping": ({"data": ["nsd"]}, "data"),
    "a mapping for a list": ({"subjects": {"subj01": 1}}, "subjects"),
    "an unknown subject": ({"subjects": ["subj09"]}, "subjects"),
    "a subject twice": ({"subjects": ["subj01", "subj01"]}, "subj01"),
    "no subjects": ({"subjects": []}, "subjects"),
    "an unknown instruction": ({"instructions": ["IC", "XX"]}, "XX"),
    "an empty grid": ({"encoding": {"alphas": {"count": 0}}}, "alphas.count"),
    "a grid upside down": (
        {"encoding": {"alphas": {"log10_min": 5, "log10_max": 1}}}, "log10_min"),
    "a grid without an end": ({"encoding": {"alphas": {"log10_max": np.inf}}}, "log10_max"),
    "a grid from nowhere": ({"encoding": {"alphas": {"log10_min": -np.inf}}}, "log10_min"),
    "a grid of no number": ({"encoding": {"alphas": {"log10_max": np.nan}}}, "log10_max"),
    "a temperature without an end": (
        {"embedding": {"decoding": {"strategy": "sample", "temperature": np.inf}}}, "temperature"),
    "a ceiling that is no number": ({"alignment": {"ceiling_threshold": np.nan}}, "threshold"),
    "an absurd size": ({"embedding": {"max_new_tokens": 1.5}}, "max_new_tokens"),
    "a ceiling above one": ({"alignment": {"ceiling_threshold": 2}}, "ceiling_threshold"),
    "beam search": ({"embedding": {"decoding": {"num_beams": 5}}}, "num_beams"),
    "null for a block": ({"encoding": None}, "encoding"),
    "an instruction that is a path": (
        {"instruction_texts": {"../x": {"task": "t", "text": "x"}}}, "../x"),
    "a study name that is a path": ({"study": "../x"}, "study"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_bad_configuration_is_one_message(paper_config, kind):
    change, word = CONFIGURATIONS[kind]
    merged = paper_config
    for key, value in change.items():
        old = merged.get(key)
        merged[key] = old | value if isinstance(old, dict) and isinstance(value, dict) else value
    with pytest.raises(InputError) as refused:
        load_study(merged)
    assert word in str(refused.value)
    assert "config/README.md" in str(refused.value)


def test_there_are_as_many_kinds_as_is_said():
    text = (Path(__file__).parents[2] / "docs/reliability.md").read_text(encoding="utf-8")
    kinds = {
        "of bad files": len(KINDS),
        "of bad settings": len(CONFIGURATIONS),
        "of filestores": len(surfaces.FILESTORES),
        "of cortices": len(surfaces.CORTICES),
        "of side files": len(surfaces.SIDE_FILES),
        "of locks": len(machine.LOCKS) + len(machine.CLAIMS),
        "of folders and limits": len(machine.FOLDERS) + len(machine.LEDGERS),
        "of signals": len(machine.SIGNALS),
    }
    for words, count in kinds.items():
        assert f"{count} {words}" in text
    assert f"{sum(kinds.values())} kinds" in text


@pytest.mark.parametrize("seed", range(12))
def test_a_file_cut_anywhere_is_named(whole, tmp_path, seed):
    """HDF5, NIfTI and gzip, at random places."""
    rng = np.random.default_rng(seed)
    spoilt = Spoilt(whole, tmp_path / "study")
    files = [spoilt.betas(), spoilt.roi(MASK), spoilt.layout.ncsnr_file(SUBJECT)]
    path = files[seed % len(files)]
    spoilt.cut(path, rng.uniform(0, 0.98))
    text, written = run(spoilt, RESPONSES, tmp_path)
    check_message(text, [path.name])
    assert written == []


def test_a_gzip_with_a_flipped_bit_is_named(whole, tmp_path):
    spoilt = Spoilt(whole, tmp_path / "study")
    path = spoilt.own(spoilt.roi(MASK))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    text, written = run(spoilt, RESPONSES, tmp_path)
    check_message(text, [path.name])
    assert written == []
