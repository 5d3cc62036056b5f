"""Write the environments of the workflow from the versions in pins.toml and locks/.

Usage: ``python envs/write_envs.py [--check]``. With ``--check`` nothing is
written, and the exit status is 1 if a file differs from what would be, or a lock
from the pins.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOCKS = HERE / "locks"
NOTE = "# Written by envs/write_envs.py from envs/pins.toml; edit that file and run `make envs`.\n"
CUDA = "# PyTorch, and what its CUDA build brings along. For another build, leave out the rest.\n"


def read_lock(path: Path, *, cuda: bool = True) -> dict[str, str]:
    """Read a lock: normalised name -> version.

    Parameters
    ----------
    path : pathlib.Path
        The lock; an absent one holds nothing.
    cuda : bool
        Whether to read what is there for PyTorch's CUDA build alone.
    """
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines, _, last = text.partition(CUDA)
    kept = last if cuda else "".join(re.findall(r"^torch==.*\n", last, re.MULTILINE))
    return dict(re.findall(r"^(\S+)==(\S+)", lines + kept, re.MULTILINE))


def normalised(name: str) -> str:
    """Return the name of a package as locks spell it, without extras."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def environments(pins: dict[str, Any]) -> dict[str, str]:
    """Return file name -> content for every environment.

    Parameters
    ----------
    pins : dict
        ``python``, and the tables ``versions`` (package -> version) and
        ``rooms`` (room -> packages).
    """
    versions = pins["versions"]
    files = {}
    for room, packages in pins["rooms"].items():
        lock = read_lock(LOCKS / f"{room}.txt", cuda=False)
        direct = {normalised(name) for name in packages}
        lines = [f"{name}=={versions[name]}" for name in packages]
        more = [f"{name}=={version}" for name, version in lock.items() if name not in direct]
        pip = "".join(f"      - {line}\n" for line in lines)
        pip += "      # what they bring along\n" + "".join(f"      - {line}\n" for line in more)
        files[f"{room}.yaml"] = (
            f"{NOTE}channels:\n  - conda-forge\n  - nodefaults\ndependencies:\n"
            f"  - python={pins['python']}\n  - pip\n  - pip:\n{pip}"
        )
    everything = "".join(f"{name}=={version}\n" for name, version in versions.items())
    files["requirements.txt"] = NOTE + everything
    return files


def outdated_locks(pins: dict[str, Any]) -> list[str]:
    """Return the names of locks that lack a pin, or have another version of it."""
    versions = pins["versions"]
    rooms = pins["rooms"] | {"requirements": list(versions)}
    return [
        room
        for room, packages in rooms.items()
        if {normalised(name): versions[name] for name in packages}.items()
        - read_lock(LOCKS / f"{room}.txt").items()
    ]


def write_all() -> None:
    """Write all files."""
    pins = tomllib.loads((HERE / "pins.toml").read_text(encoding="utf-8"))
    for name, text in environments(pins).items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")


def main() -> int:
    """Write or check the files; return the exit status."""
    pins = tomllib.loads((HERE / "pins.toml").read_text(encoding="utf-8"))
    if outdated := outdated_locks(pins):
        print(f"locks of other pins: {', '.join(outdated)}; run `make locks`", file=sys.stderr)
        return 1
    if "--check" not in sys.argv[1:]:
        write_all()
        return 0
    stale = [
        name
        for name, text in environments(pins).items()
        if not (HERE / name).is_file() or (HERE / name).read_text(encoding="utf-8") != text
    ]
    if stale:
        print(f"stale: {', '.join(stale)}; run `make envs`", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    raise SystemExit(main())
