"""Installed packages against the pinned ones, and the GPUs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from brainstruct.config.sense import REPOSITORY
from brainstruct.config.study import Study
from brainstruct.doctor import probe as probe_module
from brainstruct.errors import Outcome
from brainstruct.planning.networks import network_of
from brainstruct.store.cuda import capabilities, lack_of_code
from brainstruct.store.resources import findings_beside

_said = findings_beside(__file__, "findings.toml")

PINS = REPOSITORY / "envs" / "pins.toml"

MODULES = {
    "PyYAML": "yaml",
    "markdown-it-py": "markdown_it",
    "pillow": "PIL",
    "pycortex": "cortex",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
}
"""Packages whose module has another name."""

_SECONDS = 300
"""Longest time that imports may take; a cold network disk needs a minute."""


def check_environment(study: Study, rooms: Sequence[str] | None = None) -> list[Outcome]:
    """Compare packages with their pins, import them, and ask PyTorch for GPUs.

    They are those of the environments `rooms`, by default all that a study needs, as in
    the environment that ``make`` installs.
    """
    pins = tomllib.loads(PINS.read_text(encoding="utf-8"))
    # Only developers need the packages of the room `tools`.
    chosen = rooms or [room for room in pins["rooms"] if room != "tools"]
    names = list(dict.fromkeys(name for room in chosen for name in pins["rooms"][room]))
    outcome = Outcome("packages", f"{len(names)} packages of {', '.join(chosen)}")
    installed = []
    for name in names:
        pinned = pins["versions"][name]
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            outcome.add("error", name, f"is not installed ({pinned} is pinned)", _setup())
            continue
        installed.append(name)
        if version.split("+")[0] != pinned:
            fault = f"is version {version}, pinned and tested is {pinned}"
            outcome.add("warning", name, fault, _setup())
    packed = [model.key for model in study.models if network_of(study, model).bits < 16]
    if packed and "torch" in names and find_spec("bitsandbytes") is None:  # no room has it
        outcome.add("error", "bitsandbytes", *_said("packs", models=", ".join(packed)))
    answer = _ask([module_of(name) for name in installed])
    for module, error in answer["errors"].items():
        outcome.add("error", module, f"cannot be imported ({error})", _setup())
    if "torch" not in names:
        return [outcome]
    return [outcome, _check_gpu(study, answer["gpus"], answer.get("codes", []))]


def module_of(package: str) -> str:
    """Return the module that a package is imported by."""
    return MODULES.get(package, package.replace("-", "_"))


def _ask(modules: Sequence[str]) -> dict[str, Any]:
    # pycortex writes into the user's configuration when it is imported.
    with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
        command = [sys.executable, str(probe_module.__file__), *modules]
        environment = os.environ | {"XDG_CONFIG_HOME": folder, "MPLCONFIGDIR": folder}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            return {"errors": {"all": f"did not end within {_SECONDS} s"}, "gpus": []}
    if done.returncode or not done.stdout.strip():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"errors": {"all": f"ended with status {done.returncode}: {last}"}, "gpus": []}
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def _check_gpu(study: Study, gpus: Sequence[dict[str, Any]], codes: Sequence[str]) -> Outcome:
    seen = ", ".join(f"{gpu['name']} ({gpu['memory'] / 2**30:.0f} GiB)" for gpu in gpus)
    outcome = Outcome("GPU", seen or "none on this machine")
    if not gpus and codes:  # a login node, most often: say what its jobs must get
        outcome.checked += f"; PyTorch has code for compute capability {capabilities(codes)}"
    for number, gpu in enumerate(gpus):
        major, minor = gpu["capability"]
        if lacking := lack_of_code(gpu["name"], (major, minor), codes):
            used = study.embedding.device != "cpu" or study.encoding.gpus > 0
            outcome.add("error" if used else "note", f"GPU {number}", *lacking)
        elif (major, minor) < (8, 0) and study.embedding.dtype == "bfloat16":
            outcome.add("warning", f"GPU {number}", *_said("bfloat16", name=gpu["name"]))
    if gpus:
        return outcome
    asking = []
    if study.embedding.device == "cuda":
        asking.append("embedding.device")
    if study.encoding.gpus:
        asking.append("encoding.gpus")
    if shutil.which("nvidia-smi") and _nvidia_lists_gpus():
        outcome.add("warning", "PyTorch", *_said("driver"))
    elif asking:
        outcome.add("warning", ", ".join(asking), *_said("asks_for_gpu"))
    elif study.synthetic is None:
        outcome.add("note", "GPU", *_said("no_gpu"))
    return outcome


def _nvidia_lists_gpus() -> bool:
    done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return done.returncode == 0 and "GPU" in done.stdout


def _setup() -> str:
    return f"Run `make setup` (this is {Path(sys.prefix)}), or rebuild the environment from envs/"
