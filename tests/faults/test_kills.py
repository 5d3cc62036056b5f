"""Whatever is killed, whenever: a plain rerun ends with what an undisturbed run has."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from checkout import SMALL, Checkout

sys.path.insert(0, str(Path(__file__).parent))

from campaign import differences, draw_plans, leftovers, plan, run_campaign

pytestmark = pytest.mark.study

FULL = os.environ.get("BRAINSTRUCT_FAULTS_FULL") == "1"
KILLS = 260 if FULL else 16


def rules(root: Path) -> list[str]:
    """Scripts of the jobs that the small study has, from its logs."""
    logs = root / "results/small/logs"
    scripts = {path.stem for path in (root / "workflow_scripts").glob("*.py")}
    names = {path.relative_to(logs).parts[0].removesuffix(".log") for path in logs.rglob("*.log")}
    return sorted(names & scripts)


def test_killed_studies_end_as_undisturbed_ones(finished, tmp_path):
    disturbed = Checkout.fresh(tmp_path / "checkout")
    plans = draw_plans(rules(finished.root), KILLS, seed=3)
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
    assert killed >= (200 if FULL else 8)
