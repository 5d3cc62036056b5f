"""Commands ``make pack`` and ``make take``: blocks of a model for others, and theirs taken."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from brainstruct.config.files import add_configfile, study_of
from brainstruct.config.study import Study
from brainstruct.embedding.packs import pack_blocks, take_pack
from brainstruct.errors import InputError
from brainstruct.workflow.rooms import Rooms


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        study = study_of(options.configfile)
        print(pack(study, options.model, options.file) if options.do == "pack" else
              take(study, options.file))  # fmt: skip
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def pack(study: Study, model: str, file: Path) -> str:
    """Write all blocks of a model into a file; say what was done."""
    rooms, entry = Rooms.of(study), study.model(model)
    blocks = [
        Path(rooms.models.embedding(model, instruction, block))
        for instruction in study.instructions_of(entry)
        for block in rooms.data.blocks
    ]
    about = {
        "model": entry.label,
        "checkpoint": study.checkpoints[entry.checkpoint].origin,
        "instructions": rooms.models.texts_of(study.instructions_of(entry)),
        "dataset": study.dataset.about.name,
    }
    count = pack_blocks(blocks, file, about=about)
    return f"{file}: {count} blocks of {model}"


def take(study: Study, file: Path) -> str:
    """Take a pack's blocks into the study's store; say what was done."""
    if study.embeddings_store is None:
        raise InputError(
            "embeddings_store", "is not set", "Name the folder that packs are to be taken into"
        )
    new, known = take_pack(file, Path(study.embeddings_store))
    return f"{study.embeddings_store}: {new} blocks taken, {known} were there"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sharing", description="Embeddings for others, out of a store and into one."
    )
    commands = parser.add_subparsers(dest="do", required=True)
    written = commands.add_parser("pack", help="write a model's blocks into one file")
    written.add_argument("model", help="key of the model in the study")
    taken = commands.add_parser("take", help="check a pack and take its blocks into the store")
    for command, meaning in ((written, "file that is written"), (taken, "pack")):
        command.add_argument("file", type=Path, help=meaning)
        add_configfile(command)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
