"""What the doctor makes of a SLURM cluster's own words."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from brainstruct.doctor import machine as examined
from brainstruct.doctor.machine import check_cluster

SAID = """Configuration data as of 2026-11-01T12:00:00
AccountingStorageType   = accounting_storage/slurmdbd
ClusterName             = lab
MinJobAge               = {age} sec
SelectType              = select/{selects}
SelectTypeParameters    = CR_CORE_MEMORY

Slurmctld(primary) at head is UP
"""


def study(device="auto", gpus=0):
    return SimpleNamespace(
        embedding=SimpleNamespace(device=device), encoding=SimpleNamespace(gpus=gpus)
    )


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A login node whose scontrol says this."""

    def say(text="", status=0, error="", slow=False):
        (tmp_path / "text").write_text(text)
        script = tmp_path / "scontrol"
        script.write_text(
            f"#!/bin/sh\n{'sleep 5' if slow else ''}\necho '{error}' >&2\n"
            f"/bin/cat '{tmp_path}/text'\nexit {status}\n"
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    return say


def found(study):
    (outcome,) = check_cluster(study)
    return [(finding.level, finding.fault) for finding in outcome.findings]


def test_where_there_is_no_slurm_nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert check_cluster(study()) == []


def test_a_cluster_as_it_should_be(slurm):
    slurm(SAID.format(age=300, selects="cons_tres"))
    (outcome,) = check_cluster(study("cuda"))
    assert outcome.checked == "lab, select/cons_tres"
    assert outcome.findings == []


@pytest.mark.parametrize(
    ("given", "levels"),
    [
        (study("cuda"), ["error"]),
        (study("auto"), ["warning"]),
        (study("cpu", gpus=1), ["warning"]),
        (study("cpu"), []),
    ],
)
@pytest.mark.parametrize("selects", ["linear", "cons_res"])
def test_gpus_that_are_given_as_gres_only(slurm, given, levels, selects):
    slurm(SAID.format(age=300, selects=selects))
    faults = found(given)
    assert [level for level, _ in faults] == levels
    assert all(f"SelectType is select/{selects}" in fault for _, fault in faults)


@pytest.mark.parametrize(("age", "warned"), [(60, True), (180, True), (181, False), (0, False)])
def test_a_cluster_that_forgets_jobs_too_soon(slurm, age, warned):
    slurm(SAID.format(age=age, selects="cons_tres"))
    assert [level for level, _ in found(study())] == (["warning"] if warned else [])


def test_a_cluster_that_does_not_answer_is_a_note(slurm, monkeypatch):
    slurm(status=1, error="slurm_load_ctl_conf error: Unable to contact slurm controller")
    assert found(study()) == [
        (
            "note",
            "does not say how the cluster is set up (slurm_load_ctl_conf error: Unable to "
            "contact slurm controller)",
        )
    ]
    monkeypatch.setattr(examined, "_PATIENCE", 0.5)
    slurm(slow=True)
    assert found(study()) == [("note", "does not say how the cluster is set up (no answer)")]
