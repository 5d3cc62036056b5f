"""Whatever is killed, whenever: a plain rerun ends with what an undisturbed run has."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from checkout import SMALL, Checkout

sys.path.insert(0, str(Path(__file__).parent))

from campaign import JOB_STEPS, differences, draw_plans, leftovers, plan, run_campaign

pytestmark = pytest.mark.study

FULL = os.environ.get("BRAINSTRUCT_FAULTS_FULL") == "1"
MANY, FEW = 320, 4
KILLS = MANY if FULL else FEW


def rules(root: Path) -> list[str]:
    """Scripts of the jobs that the small study has, from its logs."""
    logs = root / "results/small/logs"
    scripts = {path.stem for path in (root / "workflow_scripts").glob("*.py")}
    names = {path.relative_to(logs).parts[0].removesuffix(".log") for path in logs.rglob("*.log")}
    return sorted(names & scripts)


def test_many_plans_hold_every_step_and_few_some_of_both_kinds():
    names = [f"rule_{n}" for n in range(41)]  # as many as the small study has
    many = draw_plans(names, MANY, seed=3)
    assert len(many) == MANY
    assert {f"{name}.{step}.1" for name in names for step in JOB_STEPS} <= set(many)
    for count in (FEW, MANY // 2):
        some = draw_plans(names, count, seed=3)
        assert len(set(some)) == count
        assert 0 < sum(plan.startswith("snakemake.") for plan in some) <= count // 4


def test_killed_studies_end_as_undisturbed_ones(supplied, finished, tmp_path):
    root = tmp_path / "checkout"  # few kills: data, checkpoints and surfaces are there
    disturbed = Checkout.fresh(root) if FULL else supplied.copy(root)
    to_come = {*rules(finished.root)} - {*rules(root)}
    plans = draw_plans(sorted(to_come), KILLS, seed=3)
    plan(tmp_path / "plans", plans)
    campaign = run_campaign(disturbed.root, [*SMALL], tmp_path / "plans", limit=6 + KILLS)
    killed = sum(campaign.kills.values())
    print(
        f"{killed} kills of {len(plans)} planned ({campaign.kills['snakemake']} of Snakemake "
        f"itself), {campaign.runs} starts, {campaign.unlocked} stale locks, "
        f"{campaign.seconds:.0f} s"
    )
    assert differences(finished.root, disturbed.root) == []
    assert leftovers(disturbed.root) == []
    assert killed >= (200 if FULL else 2)
