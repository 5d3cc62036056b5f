"""What a fresh clone can show, before there are any data."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from brainstruct.planning.jobs import read_dry_run

HEAVY = ("torch", "transformers", "himalaya", "cortex", "h5py", "nibabel", "xarray", "matplotlib")


def test_paper_study_is_shown_without_data(fresh):
    done = fresh.snakemake("-n")
    assert done.status == 0, done.text[-3000:]
    jobs = done.jobs
    # Four subjects' own images and the shared ones: five blocks.
    instructed, others = 6, 3
    assert jobs["embed"] == 5 * (10 * instructed + others)
    fits = sum(count for rule, count in jobs.items() if rule.startswith("fit_ridge"))
    assert fits == 4 * (10 * instructed + others)
    assert jobs["prepare_responses"] == 4
    # What a dry run costs goes with these (docs/scale.md).
    listed = read_dry_run(done.text)
    assert len(listed) < 1_200
    assert sum(len(job.inputs) for job in listed) < 22_000


def test_demo_is_shown_on_a_fresh_clone(fresh):
    done = fresh.snakemake("-n", "--configfile", "config/demo.yaml")
    assert done.status == 0, done.text[-3000:]
    assert done.jobs["write_synthetic_stimuli"] == 1
    embed = {rule: n for rule, n in done.jobs.items() if rule.startswith("embed")}
    # Three blocks; each model is loaded once per block.
    assert sum(embed.values()) == 3 * 9
    assert embed["embed_IC_VQ2_IU1"] == 3 * 2


def test_one_layer_per_job_gives_the_same_files(fresh):
    chunked = fresh.snakemake(
        "-n", "--configfile", "config/demo.yaml", "--config", "encoding={layers_per_job: 1}"
    )
    whole = fresh.snakemake("-n", "--configfile", "config/demo.yaml")
    fits = {rule: n for rule, n in chunked.jobs.items() if rule.startswith("fit_ridge")}
    assert sum(fits.values()) == 2 * ((10 + 3 + 3 + 1 + 1) * 33 + 25 + 13 + 2 * 9)
    assert chunked.jobs["collect_scores"] == whole.jobs["collect_scores"]


def test_missing_data_are_named_in_one_message(fresh):
    done = fresh.snakemake("--keep-going", "results/stimuli/subj01.tsv")
    assert done.status == 1
    assert "resources/nsd: " in done.text
    assert "missing or empty" in done.text
    assert "aws s3 cp" in done.text
    assert "Traceback" not in done.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subjects": ["subj01", "subj11"]}, "subjects: unknown name 'subj11'; there are subj01,"),
        ({"encoding": {"aplhas": {}}}, "Did you mean 'alphas'?"),
        ({"instructions": ["IC", "IU4"]}, "Did you mean 'IU"),
    ],
)
def test_config_errors_are_one_message(fresh, tmp_path, change, message):
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump(change))
    done = fresh.snakemake("-n", "--configfile", str(path))
    assert done.status == 1
    assert message in done.text
    assert "Traceback" not in done.text


def test_parsing_loads_nothing_heavy(fresh):
    probe = (
        "import sys; sys.path.insert(0, 'workflow_scripts')\n"
        "import brainstruct.workflow.rooms, brainstruct.config.loading\n"
        "import brainstruct.workflow.identity, brainstruct.workflow.module\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=fresh.root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_parsing_is_quick(fresh):
    """Counted in calls of functions: a limit in seconds would depend on the machine."""
    probe = (
        "import cProfile, pstats, sys\n"
        "from snakemake.cli import main\n"
        "sys.argv = ['snakemake', '--list-rules']\n"
        "profile = cProfile.Profile()\n"
        "try:\n    profile.runcall(main)\nexcept SystemExit:\n    pass\n"
        "print(pstats.Stats(profile).total_calls)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=fresh.root, capture_output=True, text=True, check=True
    )
    *rules, calls = done.stdout.splitlines()
    assert "fetch_checkpoint" in rules
    # Snakemake's own start is a million; a list of all fits among the targets, one and a half.
    assert int(calls) < 3_000_000


def test_workflow_is_lint_clean(fresh):
    done = fresh.snakemake("--lint")
    assert done.status == 0, done.text


def test_every_script_has_a_rule_and_every_rule_its_script(fresh):
    rules = "".join(path.read_text() for path in (fresh.root / "rules").glob("*.smk"))
    scripts = {path.name for path in (fresh.root / "workflow_scripts").glob("*.py")}
    named = {name for name in scripts if f"../workflow_scripts/{name}" in rules}
    assert scripts == named
