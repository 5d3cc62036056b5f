"""Two undisturbed runs of a study, in two folders, are the same byte by byte.

    python tests/faults/undisturbed.py FOLDER [--configfile FILE] [--cores N]

runs the study in FOLDER/undisturbed and FOLDER/again (what is there of an
earlier call with the same code is kept) and exits with 1 if they differ.
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from campaign import compared, differences
from checkout import PARTS, REPOSITORY, Checkout

HOURS = 3
"""After which a study counts as stuck."""


def say(message: str) -> None:
    """Print a line with the time, at once: logs of long runs are looked at amid them."""
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}", flush=True)


def run_study(root: Path, configfile: str, cores: int) -> Checkout:
    """Run a study to its end, in a checkout of the present code."""
    if not is_current(root):
        shutil.rmtree(root, ignore_errors=True)
        Checkout.fresh(root)
    checkout = Checkout(root)
    began = time.monotonic()
    checkout.run("--configfile", configfile, "--cores", str(cores), timeout=HOURS * 3600)
    say(f"{root}: done in {time.monotonic() - began:.0f} s")
    return checkout


def is_current(root: Path) -> bool:
    """Whether a checkout has the files of this repository, and no others beside them."""

    def files(base: Path) -> set[Path]:
        found = {path.relative_to(base) for part in PARTS for path in (base / part).rglob("*")}
        return {
            path
            for path in found | {Path("Snakefile")}
            if not any(part == "__pycache__" or part.startswith("local") for part in path.parts)
            and (base / path).is_file()
        }

    ours = files(REPOSITORY)
    return files(root) == ours and all(
        filecmp.cmp(REPOSITORY / path, root / path, shallow=False) for path in ours
    )


def arguments(description: str) -> argparse.ArgumentParser:
    """Arguments that this tool and the soak share."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--configfile", default="config/demo.yaml")
    parser.add_argument("--cores", type=int, default=2)
    return parser


def main() -> int:
    """Run twice and compare."""
    given = arguments(__doc__ or "").parse_args()
    folder = given.folder.resolve()
    one, other = (
        run_study(folder / name, given.configfile, given.cores) for name in ("undisturbed", "again")
    )
    found = differences(one.root, other.root)
    say(f"determinism: {compared(one.root)} files compared, {len(found)} differ")
    for name in found:
        print(f"  {name}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
