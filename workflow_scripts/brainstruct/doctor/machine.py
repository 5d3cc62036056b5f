"""Whether results can be written, and whether there is room for them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.doctor.checkpoints import HUB_FOLDER, feature_width
from brainstruct.doctor.finding import Outcome
from brainstruct.targets import OWN_IMAGES, SHARED_IMAGES, Targets

BYTES = {"float16": 2, "float32": 4}


def check_folders(study: Study) -> Outcome:
    """Try to write where the study will."""
    outcome = Outcome("write access")
    folders = [Path(study.results), Path(".snakemake")]
    used = {model.checkpoint for model in study.models}
    if any(study.checkpoints[name].path is None for name in used):
        folders.append(HUB_FOLDER)
    if study.synthetic is not None:
        folders.append(Path(study.data.nsd_root))
    for folder in folders:
        there = existing(folder)
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            outcome.add(
                "error",
                there,
                f"cannot be written to ({error.strerror})",
                f"Get write access, or choose another place for {folder}",
            )
    outcome.checked = ", ".join(map(str, folders))
    return outcome


def check_disk(study: Study) -> Outcome:
    """Compare free space with the embeddings that are still to come, by far the largest files."""
    place = existing(Path(study.results))
    free = shutil.disk_usage(place).free
    need = embedding_bytes(study)
    outcome = Outcome(
        "disk", f"{need / 1e9:.1f} GB of embeddings to come, {free / 1e9:.1f} GB free"
    )
    if need > free:
        outcome.add(
            "error",
            place,
            f"embeddings to come need about {need / 1e9:.0f} GB, {free / 1e9:.0f} GB are free",
            "Set results to a larger disk, or fit fewer models or instructions",
        )
    return outcome


def embedding_bytes(study: Study) -> int:
    """Estimate the size of all embeddings that are not on disk.

    Images times layers times features times bytes per number; all layers are
    stored, whichever are fitted.
    """
    targets = Targets(study)
    synthetic = study.synthetic
    shared = synthetic.shared_images if synthetic else SHARED_IMAGES
    own = synthetic.unique_images if synthetic else OWN_IMAGES
    per_number = BYTES[study.embedding.storage]
    total = 0
    for model in study.models:
        per_image = model.n_layers * feature_width(study, model) * per_number
        for instruction in study.instructions_of(model):
            for block in targets.blocks:
                owner = block.rpartition("-")[0]
                n_blocks = len(targets.blocks_of(owner))
                images = (own if owner in study.subjects else shared) / n_blocks
                if not Path(targets.embedding(model.key, instruction, block)).is_file():
                    total += round(images * per_image)
    return total


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    place = folder.absolute()
    while not place.is_dir():
        place = place.parent
    return place
