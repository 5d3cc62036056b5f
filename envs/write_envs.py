"""Write the environments of the workflow from the versions in pins.toml.

Usage: ``python envs/write_envs.py [--check]``. With ``--check`` nothing is
written, and the exit status is 1 if a file differs from what would be.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
NOTE = "# Written by envs/write_envs.py from envs/pins.toml; edit that file and run `make envs`.\n"


def environments(pins: dict[str, dict[str, str]], python: str) -> dict[str, str]:
    """Return file name -> content for every environment.

    Parameters
    ----------
    pins : dict
        Tables ``versions`` (package -> version) and ``rooms`` (room -> packages).
    python : str
        Python version of the conda environments.
    """
    versions = pins["versions"]
    files = {}
    for room, packages in pins["rooms"].items():
        pinned = "".join(f"      - {name}=={versions[name]}\n" for name in packages)
        files[f"{room}.yaml"] = (
            f"{NOTE}channels:\n  - conda-forge\n  - nodefaults\ndependencies:\n"
            f"  - python={python}\n  - pip\n  - pip:\n{pinned}"
        )
    everything = "".join(f"{name}=={version}\n" for name, version in versions.items())
    files["requirements.txt"] = NOTE + everything
    return files


def main() -> int:
    """Write or check the files; return the exit status."""
    content = tomllib.loads((HERE / "pins.toml").read_text(encoding="utf-8"))
    stale = [
        name
        for name, text in environments(content, content["python"]).items()
        if not (HERE / name).is_file() or (HERE / name).read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        if stale:
            print(f"stale: {', '.join(stale)}; run `make envs`", file=sys.stderr)
        return int(bool(stale))
    for name, text in environments(content, content["python"]).items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
