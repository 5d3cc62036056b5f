"""The whole demo on the cluster: `make test-slurm-demo`, as it takes about half an hour."""

from __future__ import annotations

import os

import pytest
from login import SNAKEMAKE, log_in

from brainstruct.store.tables import read_table

STUDY = os.environ.get("BRAINSTRUCT_SLURM_STUDY")


@pytest.mark.skipif(STUDY is None, reason="long: make test-slurm-demo runs the demo on SLURM")
def test_demo(cluster, tmp_path):
    login = log_in(tmp_path / "checkout", cluster)
    profile = login.root / "profiles/slurm/config.yaml"
    profile.write_text(profile.read_text().replace("account: default", "account: brainlab"))
    command = [STUDY if word == "config/local.yaml" else word for word in SNAKEMAKE]
    first = cluster.next_id
    done = login.command(*command, timeout=5400)
    assert done.status == 0, done.text[-6000:]
    assert {job.state for job in cluster.jobs(since=first)} == {"COMPLETED"}
    table = read_table(login.root / "results/demo/tables/recovery.tsv")
    assert (table[table["roi"] == "all"]["instruction_found"] >= 0.9).all()
