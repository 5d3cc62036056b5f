"""Lock the environments: every package with its exact version and the hash of its file.

Usage: ``python envs/write_locks.py``, with pip on Linux x86-64 and the Python of
pins.toml; needs the network. pip resolves all pins against PyPI alone,
whatever this machine is configured to use, from metadata where PyPI has them apart. A
room's lock is the part of the result that its packages bring along, so that a
package has one version in all rooms.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from write_envs import CUDA, HERE, LOCKS, write_all

NOTE = """# Written by `make locks` from envs/pins.toml: for Linux on x86-64 and Python {python}.
# pip install --no-deps --require-hashes --requirement envs/locks/{name}.txt
"""


def resolve(requirements: list[str]) -> dict[str, dict[str, Any]]:
    """Ask pip what it would install: normalised name -> its entry in pip's report."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    command += ["--quiet", "--report", "-", *requirements]
    # PyPI is where pip looks if nothing tells it otherwise.
    environment = {key: text for key, text in os.environ.items() if not key.startswith("PIP_")}
    environment["PIP_CONFIG_FILE"] = os.devnull
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    found = json.loads(done.stdout)["install"]
    return {canonicalize_name(entry["metadata"]["name"]): entry for entry in found}


def brought_along(
    wanted: Iterable[str], resolved: dict[str, dict[str, Any]], *, cuda: bool = True
) -> set[str]:
    """Return the normalised names of packages and of everything that they need.

    Parameters
    ----------
    wanted : iterable of str
        Requirements, such as ``moto[server]``.
    resolved : dict
        What `resolve` found.
    cuda : bool
        Whether PyTorch brings what its build on PyPI needs on Linux: CUDA.
    """
    waiting = [Requirement(text) for text in wanted]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for text in resolved[name]["metadata"].get("requires_dist", []):
                needed = Requirement(text)
                marker = needed.marker
                if name == "torch" and not cuda and "platform_system" in str(marker):
                    continue
                if marker is None or marker.evaluate({"extra": extra}):
                    waiting.append(needed)
    return {name for name, _ in seen}


def lock_text(name: str, wanted: list[str], resolved: dict[str, Any], python: str) -> str:
    """Return the content of a lock; PyTorch and what only its CUDA build needs come last."""
    every = brought_along(wanted, resolved)
    last = every - brought_along(wanted, resolved, cuda=False) | every & {"torch"}
    text = NOTE.format(python=python, name=name)
    text += "".join(_line(resolved[package]) for package in sorted(every - last))
    if last:
        text += CUDA + "".join(_line(resolved[package]) for package in sorted(last))
    return text


def _line(entry: dict[str, Any]) -> str:
    name = canonicalize_name(entry["metadata"]["name"])
    digest = entry["download_info"]["archive_info"]["hashes"]["sha256"]
    return f"{name}=={entry['metadata']['version']} --hash=sha256:{digest}\n"


def main() -> None:
    """Write all locks, and the environments, which hold their versions."""
    pins = tomllib.loads((HERE / "pins.toml").read_text(encoding="utf-8"))
    running = "{}.{}".format(*sys.version_info)
    if running != pins["python"]:
        raise SystemExit(f"Locks are for Python {pins['python']}; this is {running}")
    resolved = resolve([f"{name}=={version}" for name, version in pins["versions"].items()])
    LOCKS.mkdir(exist_ok=True)
    for name, wanted in (pins["rooms"] | {"requirements": list(pins["versions"])}).items():
        text = lock_text(name, wanted, resolved, pins["python"])
        (LOCKS / f"{name}.txt").write_text(text, encoding="utf-8", newline="\n")
    write_all()


if __name__ == "__main__":
    main()
