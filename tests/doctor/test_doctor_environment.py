"""Packages are compared with their pins and imported where they can do no harm."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest
from snakemake.settings.types import DeploymentMethod
from sound_study import study_of

from brainstruct.doctor import environment
from brainstruct.doctor.environment import check_environment
from brainstruct.doctor.finding import as_table
from brainstruct.errors import Outcome
from brainstruct.workflow.module import expected_rooms


@pytest.fixture
def pins(tmp_path, monkeypatch):
    """Two rooms with packages that import quickly."""

    def write(**versions):
        listed = "".join(f'"{name}" = "{version}"\n' for name, version in versions.items())
        names = ", ".join(f'"{name}"' for name in versions)
        path = tmp_path / "pins.toml"
        path.write_text(f'[versions]\n{listed}[rooms]\ndata = [{names}]\ntools = ["ruff"]\n')
        monkeypatch.setattr(environment, "PINS", path)

    return write


def examine(sound, **changes):
    return check_environment(study_of(sound, **changes))


def test_this_environment_is_the_pinned_one(sound):
    versions = environment.PINS.read_text()
    assert f'pydantic = "{metadata.version("pydantic")}"' in versions
    (outcome,) = check_environment(study_of(sound), rooms=["doctor"])
    assert outcome.findings == []


def test_another_version_and_no_version(sound, pins):
    pins(pydantic="0.1", nonesuch="1.0", PyYAML=metadata.version("PyYAML"))
    (outcome,) = examine(sound)
    found = {finding.where: (finding.level, finding.fault) for finding in outcome.findings}
    assert found["pydantic"][0] == "warning"
    assert "pinned and tested is 0.1" in found["pydantic"][1]
    assert found["nonesuch"] == ("error", "is not installed (1.0 is pinned)")
    assert set(found) == {"pydantic", "nonesuch"}


def test_a_package_that_cannot_be_imported(sound, pins, monkeypatch):
    pins(PyYAML=metadata.version("PyYAML"))
    monkeypatch.setitem(environment.MODULES, "PyYAML", "yaml_is_broken")
    (outcome,) = examine(sound)
    assert "cannot be imported (ModuleNotFoundError" in outcome.findings[0].fault


def test_a_package_that_kills_the_process(sound, pins, monkeypatch, tmp_path):
    pins(PyYAML=metadata.version("PyYAML"))
    (tmp_path / "deadly.py").write_text("import os; os.abort()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setitem(environment.MODULES, "PyYAML", "deadly")
    (outcome,) = examine(sound)
    assert "ended with status -6" in outcome.findings[0].fault


@pytest.fixture
def torch_alone(pins, monkeypatch):
    pins(torch=metadata.version("torch").split("+")[0])
    answer = {"errors": {}, "gpus": []}
    monkeypatch.setattr(environment, "_ask", lambda modules: answer)
    monkeypatch.setattr(environment, "_nvidia_lists_gpus", lambda: False)
    return answer


def test_weights_in_few_bits_need_a_package_that_no_environment_has(
    sound, torch_alone, monkeypatch
):
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    assert examine(sound)[0].findings == []
    bits = {"instructblip": 4, "clip": 16}
    monkeypatch.setattr(
        environment,
        "network_of",
        lambda study, model: SimpleNamespace(bits=bits.get(model.key, 16)),
    )
    (lacking,) = examine(sound)[0].findings
    assert (lacking.level, lacking.where) == ("error", "bitsandbytes")
    assert "instructblip would have weights in 4 or 8 bits" in lacking.fault
    monkeypatch.setattr(environment, "find_spec", {"bitsandbytes": True}.get)
    assert examine(sound)[0].findings == []


def test_gpus(sound, torch_alone, monkeypatch):
    assert [finding.level for finding in examine(sound)[1].findings] == ["note"]
    asking = examine(sound, embedding={"device": "cuda"})[1].findings[0]
    assert (asking.level, asking.where) == ("warning", "embedding.device")
    monkeypatch.setattr(environment.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(environment, "_nvidia_lists_gpus", lambda: True)
    assert "although nvidia-smi lists some" in examine(sound)[1].findings[0].fault
    torch_alone["gpus"].append({"name": "H100", "memory": 80 * 2**30, "capability": [9, 0]})
    outcome = examine(sound)[1]
    assert (outcome.findings, outcome.checked) == ([], "H100 (80 GiB)")


def test_gpus_without_code(sound, torch_alone):
    torch_alone["codes"] = ["sm_75", "sm_80", "compute_120"]
    assert "has code for compute capability 7.5, 8.0, 12.0" in examine(sound)[1].checked
    for name, capability in (("V100", [7, 0]), ("T4", [7, 5]), ("L40", [8, 9])):
        gpu = {"name": name, "memory": 16 * 2**30, "capability": capability}
        torch_alone["gpus"].append(gpu)
    (lacking,) = examine(sound)[1].findings
    assert (lacking.level, lacking.where) == ("error", "GPU 0")
    assert "V100 has compute capability 7.0" in lacking.fault
    assert examine(sound, embedding={"device": "cpu"})[1].findings[0].level == "note"
    findings = examine(sound, embedding={"dtype": "bfloat16"})[1].findings
    assert [finding.level for finding in findings] == ["error", "warning"]
    assert "T4 emulates bfloat16" in findings[1].fault


def test_how_snakemake_was_called():
    def workflow(*methods):
        settings = SimpleNamespace(deployment_method=set(methods))
        return SimpleNamespace(deployment_settings=settings)

    assert expected_rooms(workflow()) is None
    assert expected_rooms(workflow(DeploymentMethod.CONDA)) == ["doctor"]
    assert expected_rooms(workflow(DeploymentMethod.ENV_MODULES)) is None


@pytest.mark.parametrize("room", ["doctor", "fetch"])
def test_the_room_needs_no_package_that_its_environment_lacks(room):
    allowed = environment.tomllib.loads(environment.PINS.read_text())["rooms"][room]
    every = environment.tomllib.loads(environment.PINS.read_text())["versions"]
    barred = {environment.module_of(name) for name in every} - {
        environment.module_of(name) for name in allowed
    }
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({sorted(barred)!r}))\n"
        f"import brainstruct.{room}.command"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(environment.REPOSITORY / "workflow_scripts")},
    )
    assert done.returncode == 0, done.stderr


def test_long_lines_are_wrapped_for_people_only():
    outcome = Outcome("subj01", "40 sessions")
    outcome.add("error", "/a/b.hdf5", "is truncated " + "and so on " * 30, "Download it again")
    whole = as_table("s", [outcome], 1.0).splitlines()
    assert sum("is truncated" in line and "Download it again" in line for line in whole) == 1
    wrapped = as_table("s", [outcome], 1.0, width=80).splitlines()
    assert max(map(len, wrapped)) <= 80
