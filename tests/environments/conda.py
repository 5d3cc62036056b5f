"""Stands in for conda: the commands that Snakemake gives it, by venv and pip.

conda itself comes from channels that many test machines cannot reach. Of an
environment's file it reads all that is there: the Python version, which must be
this one's, and the packages, which pip gets as conda hands them on, one
requirement per line. Anything else is refused.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import yaml


def main(installed: str, arguments: list[str]) -> None:
    """Do what conda, installed in a folder, would do, and note what environments take."""
    started = time.monotonic()
    match arguments:
        case ["--version"]:
            print("conda 25.1.0")
        case ["info", "--json"]:
            print(json.dumps({"conda_prefix": installed, "platform": "linux-64"}))
        case ["config", "--get", "channel_priority", "--json"]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["clean", "-y", "--tarballs"]:
            pass  # pip's own cache stays
        case ["env", "create", *rest]:
            parser = argparse.ArgumentParser()
            parser.add_argument("--quiet", action="store_true")
            parser.add_argument("--no-default-packages", action="store_true")
            parser.add_argument("--file", type=Path, required=True)
            parser.add_argument("--prefix", type=Path, required=True)
            options = parser.parse_args(rest)
            create(yaml.safe_load(options.file.read_text()), options.prefix)
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = time.monotonic() - started, used.ru_utime + used.ru_stime
            with Path(installed, "times.tsv").open("a") as file:
                file.write("{}\t{:.0f}\t{:.0f}\n".format(options.prefix, *spent))
        case _:
            raise SystemExit(f"conda is not expected to be told: {arguments}")


def create(content: dict[str, object], prefix: Path) -> None:
    """Make an environment that holds nothing but what its file names."""
    running = "{}.{}".format(*sys.version_info)
    assert content["channels"] == ["conda-forge", "nodefaults"], content
    python, pip, packages = content["dependencies"]
    assert (python, pip, list(packages)) == (f"python={running}", "pip", ["pip"]), content
    venv.create(prefix, symlinks=True)
    with tempfile.NamedTemporaryFile("w", suffix=".requirements.txt") as file:
        file.write("\n".join(packages["pip"]))
        file.flush()
        command = [sys.executable, "-m", "pip", "--python", str(prefix / "bin" / "python")]
        command += ["install", "--quiet", "--upgrade", "--requirement", file.name]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
