"""A study of one subject at the NSD's true size, taken through the whole workflow.

    make rehearsal ARGS="--folder FOLDER"

writes the data set and, as blocks of an embeddings_store, states of true size; runs the
workflow as a user does; and prints what every stage took beside what its rule asks for and
what `plan` said before. It fails where a request is exceeded. Nothing is written twice: the
same command goes on after an interruption.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "workflow_scripts"), str(Path(__file__).parent)]

from size import LAYERS, N_LAYERS, Size  # noqa: E402
from states import States  # noqa: E402
from subject import SUBJECT, write_data  # noqa: E402
from table import Took, compare, document, shown, sizes_of  # noqa: E402

from brainstruct.config.loading import load_study  # noqa: E402
from brainstruct.config.study import Study  # noqa: E402
from brainstruct.datasets.lists import read_block  # noqa: E402
from brainstruct.datasets.nsd.layout import Layout  # noqa: E402
from brainstruct.embedding.block import block_identity, write_block  # noqa: E402
from brainstruct.embedding.shards import files_identity  # noqa: E402
from brainstruct.embedding.shared import BlockStore  # noqa: E402
from brainstruct.embedding.storage import empty_block  # noqa: E402
from brainstruct.models.interface import FeatureModel  # noqa: E402
from brainstruct.models.manifest import Manifest, read_manifest  # noqa: E402
from brainstruct.models.opening import ModelSettings, options_of  # noqa: E402
from brainstruct.models.registry import FAMILIES  # noqa: E402
from brainstruct.planning.amounts import Amounts  # noqa: E402
from brainstruct.planning.jobs import Job, read_dry_run  # noqa: E402
from brainstruct.planning.report import Plan  # noqa: E402
from brainstruct.store.fingerprint import sha256_of  # noqa: E402
from brainstruct.store.ledger import Ledger  # noqa: E402
from brainstruct.workflow.rooms import Rooms  # noqa: E402
from embed import shared_identity  # noqa: E402 - the path above

SEED = 22
NOTHING = "planned"
"""Folder of results that are never made."""

INSTRUCTIONS = ["IC", "VQ2"]
MODELS = {"instructblip": "InstructBLIP", "mplug-owl": "mPLUG-Owl"}
DRIVING = [
    (model, instruction, LAYERS[(place + number) % len(LAYERS)])
    for place, model in enumerate(MODELS)
    for number, instruction in enumerate(INSTRUCTIONS)
]
"""Feature spaces that drive regions, in turn."""

CHECKPOINT_BYTES = 100_000_000
"""Of weights that nobody loads: a hole in a file."""


def configuration(folder: Path, size: Size, threads: int) -> dict[str, Any]:
    """Return the study: all paths are below the folder."""
    return {
        "study": "rehearsal",
        "results": str(folder / "results"),
        "embeddings_store": str(folder / "store"),
        "subjects": [SUBJECT],
        "data": {
            "nsd_root": str(folder / "nsd"),
            "sessions": size.sessions,
            "ncsnr_sessions": size.sessions,
            "rois": ["prf-visualrois", "floc-bodies", "floc-faces", "floc-places"],
        },
        "instructions": INSTRUCTIONS,
        "checkpoints": {key: {"path": str(folder / "checkpoints" / key)} for key in MODELS},
        "models": [
            {
                "key": key,
                "label": label,
                "family": key,
                "checkpoint": key,
                "n_layers": N_LAYERS,
                "layers": list(LAYERS),
            }
            for key, label in MODELS.items()
        ],
        "encoding": {"threads": threads},
        "partition": {"threads": threads},
        "concepts": {"description": ["IC"], "recognition": ["VQ2"]},
        "flatmaps": {"source": "freesurfer"},
    }


@dataclass(frozen=True)
class Rehearsal:
    """A folder with a study, and how to run Snakemake on it."""

    folder: Path
    size: Size
    cores: int
    threads: int

    @property
    def file(self) -> Path:
        """The study's configuration."""
        return self.folder / "study.yaml"

    def study(self) -> Study:
        """Write the configuration; return the study that Snakemake makes of it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        given = configuration(self.folder, self.size, self.threads)
        self.file.write_text(yaml.safe_dump(given), encoding="utf-8")
        return load_study(self.merged())

    def merged(self) -> dict[str, Any]:
        """Return the configuration with what it stands over."""
        merged: dict[str, Any] = {}
        names = ("instructions", "checkpoints", "config")
        files = [REPOSITORY / f"config/{name}.yaml" for name in names]
        for file in [*files, self.file]:
            for key, value in yaml.safe_load(file.read_text(encoding="utf-8")).items():
                old = merged.get(key)
                merged[key] = old | value if isinstance(old, dict) else value
        return merged

    def jobs(self, *targets: str) -> list[Job]:
        """List all jobs of targets, done or not."""
        command = [*self.command, *targets, "-n", "--forceall", "--nolock", *self.configfile]
        said = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True)
        return read_dry_run(said.stdout + said.stderr)

    def plan(self) -> Plan:
        """Return what `plan` says where nothing is done: of the same study, with other results."""
        nothing = self.folder / NOTHING
        shutil.rmtree(nothing, ignore_errors=True)
        self.snakemake("plan", "--cores", "1", "--config", f"results={nothing}")
        return Plan.model_validate_json((nothing / "plan.json").read_text(encoding="utf-8"))

    @property
    def command(self) -> list[str]:
        """How Snakemake is called, before targets."""
        return [sys.executable, "-m", "snakemake", "--snakefile", f"{REPOSITORY}/Snakefile"]

    @property
    def configfile(self) -> list[str]:
        """What stands last, for it takes all that follows."""
        return ["--configfile", str(self.file)]

    def snakemake(self, *arguments: str) -> Took:
        """Run Snakemake as a user does; it must succeed."""
        command = [*self.command, *arguments, *self.configfile]
        say(" ".join(["snakemake", *arguments]))
        log = self.folder / "snakemake.log"
        began = time.monotonic()
        with log.open("ab") as file:
            process = subprocess.Popen(
                command, cwd=self.folder, stdout=file, stderr=subprocess.STDOUT
            )
            _, status, use = os.wait4(process.pid, 0)
        if status:
            tail = log.read_text(encoding="utf-8", errors="replace")[-4000:]
            raise SystemExit(f"{tail}\n{' '.join(command)} failed: {log}")
        wall = time.monotonic() - began
        return Took(use.ru_utime + use.ru_stime, wall, use.ru_maxrss * 1024e-6)


def say(message: str) -> None:
    """Print a line with the time, at once."""
    print(f"{time.strftime('%H:%M:%S')} {message}", flush=True)


def write_checkpoints(study: Study, width: int) -> None:
    """Write what a checkpoint shows without being loaded: its width, and a file of weights."""
    for checkpoint in study.checkpoints.values():
        if checkpoint.path is not None:
            folder = Path(checkpoint.path)
            folder.mkdir(parents=True, exist_ok=True)
            content = {"text_config": {"hidden_size": width}}
            (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
            with (folder / "model.safetensors").open("wb") as file:
                file.truncate(CHECKPOINT_BYTES)


def make_data(folder: Path, size: Size) -> States:
    """Write the data set, if it is not there; return the states that drive it."""
    return write_data(Layout(folder / "nsd"), size, DRIVING, SEED)


def apart(function: Callable[..., object], *arguments: object) -> None:
    """Call a function in a process of its own.

    The memory that a process ever held is counted for all that it starts.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(_call, function, *arguments).result()


def _call(function: Callable[..., object], *arguments: object) -> None:
    function(*arguments)  # what it returns stays there


def fill_store(study: Study, folder: Path, size: Size) -> None:
    """Put states of every model, instruction and block where the jobs that embed look first."""
    states, width = make_data(folder, size), size.width
    rooms = Rooms.of(study)
    store = BlockStore(Path(str(study.embeddings_store)))
    for model in study.models:
        room, key = rooms.models, SimpleNamespace(model=model.key)
        settings = ModelSettings(**room.settings_of(model.key))
        manifest = read_manifest(Path(room.of_checkpoint(room.checkpoint)(key)))
        pixels = files_identity(room.stimuli(key))
        for block in rooms.data.blocks:
            listed = Path(rooms.data.block(block))
            images = read_block(listed, study.dataset)
            known = shared_identity(
                room.embed_code(key), manifest, settings, study.embedding.device, images
            )
            known["files"] = [[one["size"], one["sampled_sha256"]] for one in pixels]
            for instruction, text in room.texts_of(INSTRUCTIONS).items():
                whole = known | {"instruction": text, "layers": list(LAYERS)}
                with store.turn(whole) as found:
                    if found is None:
                        say(f"states of {model.key}, {instruction}, {block}")
                        draft = Path(str(study.embeddings_store)) / "draft.nc"
                        ids = images["stimulus"].to_numpy()
                        said = {"block_sha256": sha256_of(listed)} | provenance_of(
                            model.key, settings, manifest, known, text, ids, width
                        )
                        write_states(states, model.key, instruction, ids, draft, said)
                        store.add(draft, whole)
                        draft.unlink()


def provenance_of(
    model: str,
    settings: ModelSettings,
    manifest: Manifest,
    known: Mapping[str, object],
    instruction: str | None,
    ids: NDArray[np.int64],
    width: int,
) -> dict[str, object]:
    """Return what the job that embeds would say of a block, without loading the model."""
    options = options_of(Path(manifest.folder), settings, "cpu")
    opened = SimpleNamespace(
        options=options,
        n_layers=N_LAYERS,
        feature_dim=width,
        dtype=options.placement()[1],
        image_backend=FeatureModel.image_backend,
        prompt="{}".format,  # a template of nothing else
    )
    origin = {name: getattr(manifest, name) for name in ("source", "revision", "digest")}
    identity = {"model": model, "checkpoint": origin, "embed_code": known["code"]}
    whole = block_identity(opened, ids, instruction, LAYERS, settings.storage, identity)
    family = FAMILIES[settings.family].name
    versions = {name: version(name) for name in ("torch", "transformers")}
    return whole | versions | {"family": family, "instruction": instruction, "device": "cpu"}


def write_states(
    states: States,
    model: str,
    instruction: str,
    ids: Sequence[int],
    path: Path,
    said: Mapping[str, object],
) -> None:
    """Write a block as the job that embeds does, with what is `said` of where it comes from."""
    rows = states.rows(np.asarray(ids))
    answers = np.array(states.answers(model, instruction), dtype=object)[rows]
    first = states.layer(model, instruction, 0)
    block = empty_block(np.asarray(ids), LAYERS, first.shape[1], "float16")
    for place in range(len(LAYERS)):
        found = first if place == 0 else states.layer(model, instruction, place)
        block["embedding"][place] = found[rows].astype("float16")
    block["response"][:] = answers
    block["n_tokens"][:] = [len(answer.split()) for answer in answers]
    write_block(block, path, provenance=said)


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse; 1 if a rule's request was exceeded."""
    parser = argparse.ArgumentParser(
        prog="make rehearsal", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="by default results/rehearsal/SCALE")
    parser.add_argument("--scale", default="full", metavar="SCALE",
                        help="full, other, or images=0.5,voxels=0.33,width=1280")  # fmt: skip
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--threads", type=int, default=1, help="of a fit")
    parser.add_argument("--targets", nargs="*", default=["all", "exports"], metavar="TARGET")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into a document")
    options = parser.parse_args(arguments)
    size = Size.parse(options.scale)
    folder = (options.folder or REPOSITORY / "results/rehearsal" / options.scale).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / "size.txt"
    if mark.exists() and mark.read_text() != repr(size):
        raise SystemExit(f"{folder} is of another size: {mark.read_text()}")
    mark.write_text(repr(size))
    rehearsal = Rehearsal(folder, size, options.cores, options.threads)
    study = rehearsal.study()
    (folder / "store").mkdir(exist_ok=True)
    say(f"{size.about(size.n_voxels)}, below {folder}")
    apart(make_data, folder, size)
    if not (folder / "checkpoints").exists():
        write_checkpoints(study, size.width)
    cores = ("--cores", str(options.cores))
    rooms = Rooms.of(study)
    whole: dict[str, Took] = {}
    plan = rehearsal.plan()
    manifests = [rooms.models.checkpoint(key) for key in MODELS]
    rehearsal.snakemake("stimuli", *manifests, *cores)
    apart(fill_store, study, folder, size)
    whole["a dry run"] = rehearsal.snakemake(*options.targets, "-n")
    rehearsal.snakemake(*options.targets, *cores, "--keep-going")
    if options.targets == ["all", "exports"]:
        look = ("--report-stylesheet", f"{REPOSITORY}/report/style.css")
        report = ("--report", f"{study.results}/report.html")
        whole["the report"] = rehearsal.snakemake(*report, *look)
    jobs = rehearsal.jobs(*options.targets)
    ledger = Ledger(study.results)
    rows, exceeded = compare(jobs, ledger, plan, study.results)
    tables = shown(rows, whole, sizes_of(plan, Path(study.results)))
    print(tables)
    if options.write is not None:
        about = size.about(Amounts(study).voxels(SUBJECT))
        document(options.write, size, about, tables)
    for line in exceeded:
        print(f"! {line}")
    return 1 if exceeded else 0


if __name__ == "__main__":
    raise SystemExit(main())
